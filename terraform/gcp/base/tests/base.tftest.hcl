# terraform init && terraform test: speaks to nobody, but wants the provider for its schema.

mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = {
      email  = "muster-worker@proj.iam.gserviceaccount.com"
      member = "serviceAccount:muster-worker@proj.iam.gserviceaccount.com"
    }
  }
}

variables {
  project = "proj"
  region  = "europe-west4"
}

run "buckets" {
  assert {
    condition     = output.control_bucket == "proj-muster-control" && output.data_bucket == "proj-muster-data"
    error_message = "${output.control_bucket} ${output.data_bucket}"
  }
  assert {
    condition = alltrue([for b in [google_storage_bucket.control, google_storage_bucket.data] :
      b.uniform_bucket_level_access && b.public_access_prevention == "enforced" &&
      b.soft_delete_policy[0].retention_duration_seconds == 0 && upper(b.location) == "EUROPE-WEST4" &&
    b.labels == tomap({ managed-by = "muster", fleet = "muster" })])
    error_message = "both buckets are private, without soft delete, and labelled"
  }
  assert {
    condition = (google_storage_bucket.data.force_destroy && !google_storage_bucket.control.force_destroy &&
    [for r in google_storage_bucket.control.lifecycle_rule : one(r.action).type] == ["AbortIncompleteMultipartUpload"])
    error_message = "results are kept"
  }
  assert {
    condition     = output.endpoint == null && output.images == {} && output.worker_objects == {}
    error_message = "neither image nor worker was given"
  }
  assert {
    condition     = output.zone == "europe-west4-b" && length(google_compute_router.own) == 0
    error_message = "no NAT unless asked for"
  }
}

run "network" {
  variables { nat = true }
  assert {
    condition     = google_compute_subnetwork.own[0].private_ip_google_access && !google_compute_network.own[0].auto_create_subnetworks
    error_message = "Cloud Storage is reached without an external address"
  }
  assert {
    condition     = length(google_compute_router_nat.own) == 1
    error_message = "nat"
  }
}

run "network_of_others" {
  variables {
    nat        = true
    subnetwork = "projects/host/regions/europe-west4/subnetworks/s"
  }
  assert {
    condition = (output.subnetwork == var.subnetwork && length(google_compute_network.own) == 0 &&
    length(google_compute_router.own) == 0)
    error_message = output.subnetwork
  }
}

run "image_and_worker" {
  command = plan # the files are no images
  variables {
    name            = "team-a"
    images          = { x86_64 = "main.tf", arm64 = "projects/p/global/images/i" }
    worker_binaries = { arm64 = "main.tf" }
    labels          = { cost-centre = "7", fleet = "of another name" }
  }
  assert {
    condition     = startswith(google_compute_image.worker["x86_64"].name, "team-a-x86-64-") && length(google_compute_image.worker) == 1
    error_message = "a file becomes an image"
  }
  assert {
    condition     = toset([for f in google_compute_image.worker["x86_64"].guest_os_features : f.type]) == toset(["UEFI_COMPATIBLE", "VIRTIO_SCSI_MULTIQUEUE", "GVNIC"])
    error_message = "guest_os_features"
  }
  assert {
    condition     = google_compute_image.worker["x86_64"].labels == tomap({ cost-centre = "7", managed-by = "muster", fleet = "team-a" })
    error_message = "labels that sweep.sh looks for cannot be taken away"
  }
  assert {
    condition = output.worker_objects == {
      arm64 = { bucket = "proj-team-a-control", object = "_cache/muster-worker/${filesha256("main.tf")}", sha256 = filesha256("main.tf") }
    }
    error_message = jsonencode(output.worker_objects)
  }
}

run "account" {
  assert {
    condition = (google_storage_bucket_iam_member.control.role == "roles/storage.objectViewer" &&
      google_storage_bucket_iam_member.data.role == "roles/storage.objectUser" &&
    google_service_account.worker.account_id == "muster-worker")
    error_message = "least rights"
  }
}

run "a_zone_of_another_region" {
  command = plan
  variables { zone = "us-east1-b" }
  expect_failures = [var.zone]
}

run "a_name_too_long" {
  command = plan
  variables { name = "a23456789012345678901" }
  expect_failures = [var.name]
}

run "an_unknown_architecture" {
  command = plan
  variables {
    images          = { amd64 = "main.tf" }
    worker_binaries = { amd64 = "main.tf" }
  }
  expect_failures = [var.images, var.worker_binaries]
}
