# Servers at any provider that takes an iPXE URL for a server.
#
# Each host is known by its boot URL alone. The order matters: a host is armed before its server is made, so that the
# server's very first boot installs; then the wait. Put the server resource of your provider in the place of
# `terraform_data.server`, which makes nothing.

terraform {
  required_version = ">= 1.11"
  required_providers {
    thirdboot = {
      source = "thirdboot/thirdboot"
    }
  }
}

provider "thirdboot" {}

variable "runners" {
  description = "Names of the CI runners."
  type        = set(string)
  default     = ["runner-1", "runner-2"]
}

resource "thirdboot_host" "runner" {
  for_each = var.runners

  name     = each.key
  role     = "runner"
  known_by = "key"
}

resource "thirdboot_provision" "armed" {
  for_each = var.runners

  host     = thirdboot_host.runner[each.key].name
  wait_for = "armed"
}

resource "terraform_data" "server" {
  for_each = var.runners

  # The provider's iPXE URL. It is a secret, and sensitive in every plan.
  input = thirdboot_host.runner[each.key].boot_url

  depends_on = [thirdboot_provision.armed]
}

resource "thirdboot_provision" "ready" {
  for_each = var.runners

  host    = thirdboot_host.runner[each.key].name
  run     = thirdboot_provision.armed[each.key].run
  timeout = "60m"

  depends_on = [terraform_data.server]
}
