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

# Architecture => the folder of the image.
output "images" {
  value = { for arch, image in var.images : arch => abspath(image) }
}

output "zone" {
  value = "local-local1-a"
}

output "project" {
  value = null
}

output "region" {
  value = null
}

output "worker_objects" {
  value = {}
}

output "service_account" {
  value = null
}

output "subnetwork" {
  value = null
}

output "labels" {
  value = merge(var.labels, { managed-by = "muster", fleet = var.name })
}
