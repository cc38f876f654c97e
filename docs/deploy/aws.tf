# An example: a role that may read flow logs, and nothing else; and a bucket that keeps evidence packages for six years.
# SPDX-License-Identifier: Apache-2.0
variable "log_bucket" {
  description = "The bucket that flow logs are delivered to"
  type        = string
}

variable "evidence_bucket" {
  description = "A new bucket for what 'weir evidence' packs"
  type        = string
}

variable "kms_key_arn" {
  description = "The key that the log bucket is encrypted with; empty: none of KMS"
  type        = string
  default     = ""
}

data "aws_iam_policy_document" "read_flow_logs" {
  statement {
    sid       = "ListTheFlowLogs"
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::${var.log_bucket}"]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["AWSLogs", "AWSLogs/*"]
    }
  }
  statement {
    sid       = "ReadTheFlowLogs"
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::${var.log_bucket}/AWSLogs/*"]
  }
  statement {
    sid       = "HearOfNewOnes"
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]
    resources = [aws_sqs_queue.weir.arn]
  }
  dynamic "statement" {
    for_each = var.kms_key_arn == "" ? [] : [var.kms_key_arn]
    content {
      sid       = "DecryptThem"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }
}

data "aws_iam_policy_document" "instances" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "weir" {
  name_prefix        = "weir-"
  assume_role_policy = data.aws_iam_policy_document.instances.json
}

resource "aws_iam_role_policy" "weir" {
  name_prefix = "read-flow-logs-"
  role        = aws_iam_role.weir.id
  policy      = data.aws_iam_policy_document.read_flow_logs.json
}

resource "aws_iam_instance_profile" "weir" {
  name_prefix = "weir-"
  role        = aws_iam_role.weir.name
}

# The queue that tells a service of new objects, and its dead letters.
resource "aws_sqs_queue" "dead" {
  name_prefix               = "weir-dead-"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue" "weir" {
  name_prefix                = "weir-"
  visibility_timeout_seconds = 120
  message_retention_seconds  = 345600
  sqs_managed_sse_enabled    = true
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = 5
  })
}

data "aws_iam_policy_document" "bucket_may_tell" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.weir.arn]
    principals {
      type        = "Service"
      identifiers = ["s3.amazonaws.com"]
    }
    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = ["arn:aws:s3:::${var.log_bucket}"]
    }
  }
}

resource "aws_sqs_queue_policy" "weir" {
  queue_url = aws_sqs_queue.weir.id
  policy    = data.aws_iam_policy_document.bucket_may_tell.json
}

resource "aws_s3_bucket_notification" "logs" {
  bucket = var.log_bucket
  queue {
    queue_arn     = aws_sqs_queue.weir.arn
    events        = ["s3:ObjectCreated:*"]
    filter_prefix = "AWSLogs/"
  }
  depends_on = [aws_sqs_queue_policy.weir]
}

# Evidence: nobody, not even its owner, removes a package before its time.
resource "aws_s3_bucket" "evidence" {
  bucket              = var.evidence_bucket
  object_lock_enabled = true
}

resource "aws_s3_bucket_versioning" "evidence" {
  bucket = aws_s3_bucket.evidence.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_object_lock_configuration" "evidence" {
  bucket = aws_s3_bucket.evidence.id
  rule {
    default_retention {
      mode = "COMPLIANCE"
      days = 2222 # six years and thirty days
    }
  }
}

resource "aws_s3_bucket_public_access_block" "evidence" {
  bucket                  = aws_s3_bucket.evidence.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
