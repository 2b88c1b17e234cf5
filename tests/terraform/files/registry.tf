data "aws_iam_policy_document" "registry" {
  statement {
    sid       = "replication"
    actions   = var.changed ? ["ecr:ReplicateImage"] : ["ecr:ReplicateImage", "ecr:CreateRepository"]
    resources = ["arn:aws:ecr:us-east-1:${data.aws_caller_identity.current.account_id}:repository/*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }
}

resource "aws_ecr_registry_policy" "this" {
  policy = data.aws_iam_policy_document.registry.json
}

resource "aws_ecr_registry_scanning_configuration" "this" {
  scan_type = var.changed ? "BASIC" : "ENHANCED"

  rule {
    scan_frequency = "SCAN_ON_PUSH"

    repository_filter {
      filter      = "terraform/*"
      filter_type = "WILDCARD"
    }

    repository_filter {
      filter      = "another"
      filter_type = "WILDCARD"
    }
  }

  dynamic "rule" {
    for_each = var.changed ? [] : ["production/*"]

    content {
      scan_frequency = "CONTINUOUS_SCAN"

      repository_filter {
        filter      = rule.value
        filter_type = "WILDCARD"
      }
    }
  }
}

resource "aws_ecr_account_setting" "scanner" {
  name  = "BASIC_SCAN_TYPE_VERSION"
  value = var.changed ? "AWS_NATIVE" : "CLAIR"
}

resource "aws_ecr_account_setting" "scope" {
  name  = "REGISTRY_POLICY_SCOPE"
  value = var.changed ? "V2" : "V1"
}
