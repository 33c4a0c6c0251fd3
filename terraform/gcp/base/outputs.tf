# What fleets read; terraform/local/base has the same.

output "name" {
  value = var.name
}

output "project" {
  value = var.project
}

output "region" {
  value = var.region
}

output "zone" {
  value = coalesce(var.zone, "${var.region}-b")
}

output "control_bucket" {
  value = google_storage_bucket.control.name
}

output "data_bucket" {
  value = google_storage_bucket.data.name
}

# Of an emulated bucket; there is none here.
output "endpoint" {
  value = null
}

output "machine_endpoint" {
  value = null
}

# Architecture => the worker's own image.
output "images" {
  value = merge(local.image_links, {
    for arch, image in google_compute_image.worker : arch => image.self_link
  })
}

# Architecture => the static worker, for stock images.
output "worker_objects" {
  value = { for arch, object in google_storage_bucket_object.worker : arch => {
    bucket = object.bucket
    object = object.name
    sha256 = filesha256(var.worker_binaries[arch])
  } }
}

output "service_account" {
  value = google_service_account.worker.email
}

output "subnetwork" {
  value = var.subnetwork == null ? google_compute_subnetwork.own[0].self_link : var.subnetwork
}

output "labels" {
  value = local.labels
}
