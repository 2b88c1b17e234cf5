# Rules out of order, members out of order, numbers and lists as people write them.
resource "aws_ecr_lifecycle_policy" "written" {
  repository = aws_ecr_repository.full.name
  policy = jsonencode({
    rules = [
      {
        rulePriority = 30
        description  = "Keep few of the rest"
        selection = {
          tagStatus   = "any"
          countType   = "imageCountMoreThan"
          countNumber = var.changed ? 50 : 100
        }
        action = { type = "expire" }
      },
      {
        rulePriority = 1
        description  = "Let untagged images go after two weeks"
        selection = {
          tagStatus   = "untagged"
          countType   = "sinceImagePushed"
          countUnit   = "days"
          countNumber = 14
        }
        action = { type = "expire" }
      },
      {
        rulePriority = 20
        selection = {
          tagStatus     = "tagged"
          tagPrefixList = var.changed ? ["test", "dev", "pr-"] : ["dev", "test"]
          countType     = "imageCountMoreThan"
          countNumber   = 10
        }
        action = { type = "expire" }
      },
    ]
  })
}

data "aws_ecr_lifecycle_policy_document" "made" {
  rule {
    priority    = 1
    description = "Releases"

    selection {
      tag_status       = "tagged"
      tag_pattern_list = ["v*", "release-*"]
      count_type       = "imageCountMoreThan"
      count_number     = var.changed ? 20 : 30
    }

    action {
      type = "expire"
    }
  }

  rule {
    priority = 2

    selection {
      tag_status   = "untagged"
      count_type   = "sinceImagePushed"
      count_unit   = "days"
      count_number = 7
    }
  }
}

resource "aws_ecr_lifecycle_policy" "made" {
  repository = aws_ecr_repository.renamed.name
  policy     = data.aws_ecr_lifecycle_policy_document.made.json
}
