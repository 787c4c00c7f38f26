output "addresses" {
  description = "Each node's address on the VLAN."
  value       = { for name, host in thirdboot_host.this : name => host.vlan_addresses }
}

output "kubeconfig" {
  description = "For kubectl: terraform output -raw kubeconfig"
  value       = data.thirdboot_cluster.this.kubeconfig
  sensitive   = true
}
