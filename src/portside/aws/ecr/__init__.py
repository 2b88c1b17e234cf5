"""The ECR operations, one module a noun."""
