# Three k3s servers, three agents and two CI runners on Equinix Metal.
#
# Equinix Metal ended in June 2026, and version 4.16.1 of its provider is the last that has these resources: this is a
# model for providers with custom iPXE, bonds and VLANs.
#
# A bond names its ports by their MACs, which are known when the device is there. So each device boots <server>/boot.ipxe
# first, meets a server that does not know it, and is held; Terraform then describes the host with the MACs that the
# device has, attaches the VLAN, and allows it to be wiped: at its next question the held machine installs. The server must
# hold unknown machines (its default) and take the devices' addresses as address sources.

terraform {
  required_version = ">= 1.11"
  required_providers {
    thirdboot = {
      source = "thirdboot/thirdboot"
    }
    equinix = {
      source  = "equinix/equinix"
      version = "4.16.1"
    }
  }
}

provider "thirdboot" {}

provider "equinix" {
  auth_token = var.equinix_token
}

locals {
  hosts = merge(
    { for n in range(3) : "server-${n + 1}" => "server" },
    { for n in range(3) : "agent-${n + 1}" => "agent" },
    { for n in range(2) : "runner-${n + 1}" => "runner" },
  )
}

resource "thirdboot_cluster" "this" {
  name = var.cluster
  k3s  = var.k3s
  vlan = equinix_metal_vlan.nodes.vxlan
}

resource "equinix_metal_vlan" "nodes" {
  project_id  = var.project_id
  metro       = var.metro
  vxlan       = var.vlan
  description = "Nodes of ${var.cluster}"
}

resource "equinix_metal_device" "this" {
  for_each = local.hosts

  hostname         = each.key
  plan             = var.plan
  metro            = var.metro
  project_id       = var.project_id
  billing_cycle    = "hourly"
  operating_system = "custom_ipxe"
  ipxe_script_url  = "${var.boot_plane}/boot.ipxe"
  # The server decides at every boot what the machine gets; a ready one gets its disk.
  always_pxe = true
}

# Hybrid bonded: the untagged side stays on the bond, the VLAN is tagged on top of it.
resource "equinix_metal_port" "bond" {
  for_each = { for name, role in local.hosts : name => role if role != "runner" }

  port_id   = [for port in equinix_metal_device.this[each.key].ports : port.id if port.name == "bond0"][0]
  bonded    = true
  layer2    = false
  vxlan_ids = [equinix_metal_vlan.nodes.vxlan]
}

resource "thirdboot_host" "this" {
  for_each = local.hosts

  name     = each.key
  role     = each.value
  platform = "equinix-metal"
  known_by = "address"
  cluster  = each.value == "runner" ? null : thirdboot_cluster.this.name
  macs     = [for port in equinix_metal_device.this[each.key].ports : port.mac if port.type == "NetworkPort"]
  ssh_keys = var.ssh_keys
  install  = { console = ["tty0", "ttyS1,115200n8"] }

  network = {
    bond  = {}
    vlans = each.value == "runner" ? [] : [{ id = var.vlan, mtu = 1500, pool = { ipv4 = { prefix = var.vlan_prefix } } }]
  }
}

resource "thirdboot_provision" "this" {
  for_each = local.hosts

  host     = thirdboot_host.this[each.key].name
  triggers = { device = equinix_metal_device.this[each.key].id }
  timeout  = "90m"

  depends_on = [equinix_metal_port.bond]
}

data "thirdboot_cluster" "this" {
  name       = thirdboot_cluster.this.name
  depends_on = [thirdboot_provision.this]
}

output "kubeconfig" {
  value     = data.thirdboot_cluster.this.kubeconfig
  sensitive = true
}
