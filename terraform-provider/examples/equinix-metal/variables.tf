variable "equinix_token" {
  description = "API token of the provider."
  type        = string
  sensitive   = true
}

variable "project_id" {
  description = "The provider's project."
  type        = string
}

variable "metro" {
  description = "Where the devices stand."
  type        = string
  default     = "fr"
}

variable "plan" {
  description = "Which devices."
  type        = string
  default     = "c3.small.x86"
}

variable "boot_plane" {
  description = "Base URL of Thirdboot's boot plane, as the devices reach it."
  type        = string
}

variable "cluster" {
  description = "The cluster's name."
  type        = string
  default     = "sample"
}

variable "k3s" {
  description = "Version of k3s, and the SHA-256 of its binary from the release's sha256sum-amd64.txt."
  type = object({
    version  = string
    binaries = map(object({ sha256 = string, url = optional(string) }))
  })
}

variable "vlan" {
  description = "The VLAN that nodes talk over."
  type        = number
  default     = 1000
}

variable "vlan_prefix" {
  description = "Where the nodes' addresses on that VLAN come from."
  type        = string
  default     = "10.8.0.0/24"
}

variable "ssh_keys" {
  description = "OpenSSH public keys of the user core."
  type        = list(string)
  default     = []
}
