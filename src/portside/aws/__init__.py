"""AWS speaks: the ECR API over JSON 1.1 and STS over the Query protocol."""
