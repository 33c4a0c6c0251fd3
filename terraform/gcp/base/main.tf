# What all runs share, made once: buckets, the workers' account and network, the image.

locals {
  labels        = merge(var.labels, { managed-by = "muster", fleet = var.name })
  bucket_prefix = coalesce(var.bucket_prefix, "${var.project}-${var.name}")
  location      = coalesce(var.bucket_location, var.region)
  image_links   = { for arch, image in var.images : arch => image if startswith(image, "projects/") }
  image_files   = { for arch, image in var.images : arch => image if !startswith(image, "projects/") }
}

# Jobs, control, results; small objects, written by workers only below their own run.
resource "google_storage_bucket" "control" {
  name                        = "${local.bucket_prefix}-control"
  location                    = local.location
  labels                      = local.labels
  force_destroy               = !var.keep_results
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  # leases and heartbeats are rewritten all the time: every one would be kept and billed
  soft_delete_policy {
    retention_duration_seconds = 0
  }
  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 7
    }
  }
}

# What gcsfuse mounts. A bucket of its own: the load never throttles the control plane, and
# fio can never reach a control object.
resource "google_storage_bucket" "data" {
  name                        = "${local.bucket_prefix}-data"
  location                    = local.location
  labels                      = local.labels
  force_destroy               = true
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  soft_delete_policy {
    retention_duration_seconds = 0
  }
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = var.data_days
    }
  }
  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 1
    }
  }
}

# Nothing in the project but this. What a run's workers may write, its fleet says.
resource "google_service_account" "worker" {
  account_id   = "${var.name}-worker"
  display_name = "muster: workers of ${var.name}"
}

# On the whole bucket, because listing is judged on the bucket: a condition on names of
# objects would take it away.
resource "google_storage_bucket_iam_member" "control" {
  bucket = google_storage_bucket.control.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.worker.member
}

resource "google_storage_bucket_iam_member" "data" {
  bucket = google_storage_bucket.data.name
  role   = "roles/storage.objectUser"
  member = google_service_account.worker.member
}

# _cache/ is the operator's: workers read it and cannot write it.
resource "google_storage_bucket_object" "worker" {
  for_each = var.worker_binaries
  bucket   = google_storage_bucket.control.name
  name     = "_cache/muster-worker/${filesha256(each.value)}"
  source   = each.value
}

resource "google_storage_bucket_object" "image" {
  for_each = local.image_files
  bucket   = google_storage_bucket.control.name
  name     = "_cache/image/${filesha256(each.value)}.tar.gz"
  source   = each.value
}

# An image's architecture cannot be said here; the boot disks say theirs.
resource "google_compute_image" "worker" {
  for_each          = local.image_files
  name              = "${var.name}-${replace(each.key, "_", "-")}-${substr(filesha256(each.value), 0, 12)}"
  family            = "${var.name}-${replace(each.key, "_", "-")}"
  description       = "muster worker, sha256 ${filesha256(each.value)}"
  labels            = local.labels
  storage_locations = [var.region]

  raw_disk {
    source         = "https://storage.googleapis.com/${google_storage_bucket.control.name}/${google_storage_bucket_object.image[each.key].name}"
    container_type = "TAR"
  }
  dynamic "guest_os_features" {
    for_each = ["UEFI_COMPATIBLE", "VIRTIO_SCSI_MULTIQUEUE", "GVNIC"]
    content {
      type = guest_os_features.value
    }
  }
  lifecycle {
    create_before_destroy = true
  }
}
