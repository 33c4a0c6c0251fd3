# The names and meanings of terraform/gcp/base; null is what there is only there.

output "name" {
  value = var.name
}

output "control_bucket" {
  value = local.buckets.control
}

output "data_bucket" {
  value = local.buckets.data
}

# The bucket's URL here: STORAGE_EMULATOR_HOST of muster.
output "endpoint" {
  value = try(split("\n", file("${terraform_data.server.output.dir}/url"))[0], null)
}

# The same bucket as a machine of the fleet sees it: split --data-endpoint.
output "machine_endpoint" {
  value = "http://169.254.169.253"
}

# host:port of the metadata server; only in a local base.
output "metadata" {
  value = try(trimprefix(split("\n", file("${terraform_data.server.output.dir}/url"))[1], "metadata "), null)
}

output "dir" {
  value = local.dir
}

output "image" {
  value = abspath(var.image)
}

output "service_account" {
  value = null
}

output "subnetwork" {
  value = null
}

output "labels" {
  value = var.labels
}
