resource "aws_ecr_repository_creation_template" "full" {
  prefix               = "terraform-made"
  description          = var.changed ? "Whatever is pushed" : "Whatever is replicated"
  applied_for          = var.changed ? ["PULL_THROUGH_CACHE"] : ["REPLICATION", "PULL_THROUGH_CACHE"]
  image_tag_mutability = var.changed ? "MUTABLE" : "IMMUTABLE"
  custom_role_arn      = aws_iam_role.reader.arn
  resource_tags        = var.changed ? { made-by = "template" } : { made-by = "template", stage = "test" }

  encryption_configuration {
    encryption_type = "AES256"
  }

  repository_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "pull"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.current.account_id}:root" }
      Action    = var.changed ? ["ecr:BatchGetImage"] : ["ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
    }]
  })

  lifecycle_policy = <<-JSON
    {
      "rules": [
        {
          "rulePriority": 2,
          "selection": { "countNumber": 5, "countType": "imageCountMoreThan", "tagStatus": "any" },
          "action": { "type": "expire" }
        },
        {
          "rulePriority": 1,
          "description": "untagged ones",
          "selection": { "countNumber": ${var.changed ? 3 : 4}, "countType": "imageCountMoreThan", "tagStatus": "untagged" },
          "action": { "type": "expire" }
        }
      ]
    }
  JSON
}

# What is left out after the change is to be gone.
resource "aws_ecr_repository_creation_template" "emptied" {
  prefix            = "terraform-emptied/"
  applied_for       = ["PULL_THROUGH_CACHE"]
  description       = var.changed ? null : "Not for long"
  custom_role_arn   = var.changed ? null : aws_iam_role.reader.arn
  resource_tags     = var.changed ? null : { short = "lived" }
  lifecycle_policy  = var.changed ? null : data.aws_ecr_lifecycle_policy_document.made.json
  repository_policy = var.changed ? null : data.aws_iam_policy_document.role.json
}

resource "aws_ecr_repository_creation_template" "root" {
  prefix      = "ROOT"
  applied_for = ["REPLICATION"]
}
