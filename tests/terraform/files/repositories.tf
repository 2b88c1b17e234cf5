resource "aws_ecr_repository" "bare" {
  name = "terraform/bare"
}

resource "aws_ecr_repository" "full" {
  name                 = "terraform/full"
  image_tag_mutability = var.changed ? "IMMUTABLE" : "MUTABLE"
  force_delete         = true

  image_scanning_configuration {
    scan_on_push = !var.changed
  }

  encryption_configuration {
    encryption_type = "AES256"
  }

  tags = var.changed ? { team = "web", "cost centre" = "" } : { team = "platform", stage = "test" }
}

# It has another name after the change, so that it is replaced.
resource "aws_ecr_repository" "renamed" {
  name                 = var.changed ? "terraform/new" : "terraform/old"
  image_tag_mutability = "IMMUTABLE"

  timeouts {
    delete = "1m"
  }
}

resource "aws_ecr_repository" "several" {
  for_each = toset(["one", "two", "three"])
  name     = "terraform/several/${each.key}"
  tags     = { number = each.key }
}

# As people write it, and not as anything would be kept: indented, members in an order of its own, one action that is no list.
resource "aws_ecr_repository_policy" "full" {
  repository = aws_ecr_repository.full.name
  policy     = <<-JSON
    {
      "Statement": [
        {
          "Sid": "pull",
          "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
          "Principal": { "AWS": "${data.aws_caller_identity.current.account_id}" },
          "Effect": "Allow"
        },
        {
          "Sid": "look",
          "Action": "${var.changed ? "ecr:ListImages" : "ecr:DescribeImages"}",
          "Principal": "*",
          "Effect": "Allow",
          "Condition": { "StringEquals": { "aws:PrincipalAccount": ["${data.aws_caller_identity.current.account_id}"] } }
        }
      ],
      "Version": "2012-10-17"
    }
  JSON
}

data "aws_iam_policy_document" "role" {
  statement {
    sid     = "role"
    actions = ["ecr:DescribeRepositories", "ecr:ListImages"]

    principals {
      type        = "AWS"
      identifiers = [aws_iam_role.reader.arn]
    }

    principals {
      type        = "Service"
      identifiers = ["codebuild.amazonaws.com"]
    }
  }
}

# The principal is a role that exists: what is kept is its unique id, and what is shown must be its ARN.
resource "aws_ecr_repository_policy" "role" {
  repository = aws_ecr_repository.renamed.name
  policy     = data.aws_iam_policy_document.role.json
}

resource "aws_iam_role" "reader" {
  name               = "terraform-reader"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }
}
