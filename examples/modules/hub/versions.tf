terraform {
  required_version = ">= 1.8"

  required_providers {
    awsazure = {
      source  = "awsazure/awsazure"
      version = ">= 0.1.0"
    }
  }
}
