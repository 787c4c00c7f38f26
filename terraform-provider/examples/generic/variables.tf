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

variable "servers" {
  description = "MACs of each server, by its name. An odd number of servers."
  type        = map(list(string))
}

variable "agents" {
  description = "MACs of each agent, by its name."
  type        = map(list(string))
}

variable "runners" {
  description = "MACs of each CI runner, by its name."
  type        = map(list(string))
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

variable "insecure_join" {
  description = "Hands out the cluster's tokens over plain HTTP: only where nobody else can listen."
  type        = bool
  default     = false
}

variable "generation" {
  description = "Change it, and every machine is wiped and installed again."
  type        = string
  default     = "1"
}
