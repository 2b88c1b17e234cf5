terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

variable "endpoint" {
  type        = string
  description = "The address of the Portside that is tried."
}

variable "access_key" {
  type        = string
  description = "The access key of its root user."
}

variable "secret_key" {
  type        = string
  sensitive   = true
  description = "The secret that belongs to it."
}

variable "changed" {
  type        = bool
  default     = false
  description = "Whether everything is to be as it is after the change."
}

provider "aws" {
  region     = "us-east-1"
  access_key = var.access_key
  secret_key = var.secret_key

  # The provider's own checks stay on: who the caller is, and which account.
  skip_metadata_api_check = true
  skip_region_validation  = true

  endpoints {
    ecr = var.endpoint
    iam = var.endpoint
    sts = var.endpoint
  }

  default_tags {
    tags = {
      managed-by = "terraform"
    }
  }
}

data "aws_caller_identity" "current" {}
