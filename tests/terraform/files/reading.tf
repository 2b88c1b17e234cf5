data "aws_ecr_repository" "full" {
  name       = aws_ecr_repository.full.name
  depends_on = [aws_ecr_repository_policy.full]
}

data "aws_ecr_repositories" "all" {
  depends_on = [aws_ecr_repository.bare, aws_ecr_repository.full, aws_ecr_repository.renamed, aws_ecr_repository.several]
}

# Between the first application and the change an image is pushed.
data "aws_ecr_image" "tagged" {
  count           = var.changed ? 1 : 0
  repository_name = aws_ecr_repository.full.name
  image_tag       = "v1"
}

data "aws_ecr_image" "newest" {
  count           = var.changed ? 1 : 0
  repository_name = "terraform/full"
  most_recent     = true
}

data "aws_ecr_authorization_token" "token" {}

data "aws_ecr_repository_creation_template" "full" {
  prefix = aws_ecr_repository_creation_template.full.prefix
}

output "read" {
  value = {
    repository_url = data.aws_ecr_repository.full.repository_url
    tags           = data.aws_ecr_repository.full.tags
    newest_tags    = data.aws_ecr_repository.full.most_recent_image_tags
    repositories   = data.aws_ecr_repositories.all.names
    digest         = one(data.aws_ecr_image.tagged[*].image_digest)
    image          = one(data.aws_ecr_image.newest[*].image_uri)
    user           = data.aws_ecr_authorization_token.token.user_name
    proxy          = data.aws_ecr_authorization_token.token.proxy_endpoint
    template       = data.aws_ecr_repository_creation_template.full.description
    template_tags  = data.aws_ecr_repository_creation_template.full.resource_tags
  }
}
