# Three k3s servers, three agents and two CI runners on machines of one's own.
#
# The machines boot <server>/boot.ipxe from their network and are known by their MACs. `terraform apply` describes them,
# allows each to be wiped once, and ends when all of them are really ready. THIRDBOOT_ENDPOINT and THIRDBOOT_TOKEN say
# where the server is; the cluster needs an admin's token.

terraform {
  required_version = ">= 1.11"
  required_providers {
    thirdboot = {
      source = "thirdboot/thirdboot"
    }
  }
}

provider "thirdboot" {}

locals {
  hosts = merge(
    { for name, macs in var.servers : name => { role = "server", macs = macs } },
    { for name, macs in var.agents : name => { role = "agent", macs = macs } },
    { for name, macs in var.runners : name => { role = "runner", macs = macs } },
  )
}

resource "thirdboot_cluster" "this" {
  name          = var.cluster
  k3s           = var.k3s
  vlan          = var.vlan
  disable       = ["traefik"]
  insecure_join = var.insecure_join
}

resource "thirdboot_host" "this" {
  for_each = local.hosts

  name     = each.key
  role     = each.value.role
  cluster  = each.value.role == "runner" ? null : thirdboot_cluster.this.name
  macs     = each.value.macs
  ssh_keys = var.ssh_keys
  labels   = { site = var.cluster }

  # Runners need no VLAN: the uplink's DHCP is enough.
  network = each.value.role == "runner" ? null : {
    bond  = {}
    vlans = [{ id = var.vlan, pool = { ipv4 = { prefix = var.vlan_prefix } } }]
  }
}

# The first server begins the cluster, the others join it one after another: the server sees to that.
resource "thirdboot_provision" "this" {
  for_each = local.hosts

  host     = thirdboot_host.this[each.key].name
  triggers = { generation = var.generation }
  timeout  = "60m"
}

data "thirdboot_cluster" "this" {
  name       = thirdboot_cluster.this.name
  depends_on = [thirdboot_provision.this]
}
