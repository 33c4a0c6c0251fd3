# terraform init && terraform test: speaks to nobody, but wants the provider for its schema.

mock_provider "google" {}

override_data {
  target = data.terraform_remote_state.base
  values = {
    outputs = {
      name            = "muster"
      project         = "proj"
      region          = "europe-west4"
      zone            = "europe-west4-b"
      control_bucket  = "ctl"
      data_bucket     = "data"
      images          = { x86_64 = "projects/proj/global/images/muster-x86-64-1" }
      worker_objects  = { arm64 = { bucket = "ctl", object = "_cache/muster-worker/abc", sha256 = "abc" } }
      service_account = "muster-worker@proj.iam.gserviceaccount.com"
      subnetwork      = "projects/proj/regions/europe-west4/subnetworks/muster-subnetwork"
      labels          = { managed-by = "muster", fleet = "muster" }
    }
  }
}

variables {
  run    = "r1"
  groups = { w = { count = 2 } }
}

run "known_to_the_plan" {
  command = plan
  assert {
    condition     = output.workers_file == "w-1\nw-2" && output.run_url == "gs://ctl/r1" && output.data_url == "gs://data"
    error_message = "${output.workers_file} ${output.run_url} ${output.data_url}"
  }
  assert {
    condition     = output.workers["w-2"] == { instance = "r1-w-2", zone = "europe-west4-b", machine_type = "n2-standard-8", arch = "x86_64" }
    error_message = jsonencode(output.workers)
  }
}

run "machines" {
  variables { labels = { cost-centre = "7" } }
  assert {
    condition = alltrue([for name, i in google_compute_instance.worker :
      i.name == "r1-${name}" && i.zone == "europe-west4-b" && i.desired_status == null &&
      length(i.network_interface[0].access_config) == 0 && i.network_interface[0].nic_type == "GVNIC" &&
      i.boot_disk[0].initialize_params[0].image == "projects/proj/global/images/muster-x86-64-1" &&
    i.boot_disk[0].initialize_params[0].architecture == "X86_64" && i.service_account[0].scopes == toset(["https://www.googleapis.com/auth/devstorage.full_control"])])
    error_message = "name, zone, no address, image"
  }
  assert {
    condition = alltrue([for name, i in google_compute_instance.worker :
      i.labels == tomap({ managed-by = "muster", fleet = "muster", run = "r1", worker = name, cost-centre = "7" }) &&
    i.boot_disk[0].initialize_params[0].labels == tomap({ managed-by = "muster", fleet = "muster", run = "r1", cost-centre = "7" })])
    error_message = "labels on machines and disks"
  }
  assert {
    condition = alltrue([for name, i in google_compute_instance.worker :
      i.metadata["muster-run"] == "gs://ctl/r1" && i.metadata["muster-worker"] == name && i.metadata["block-project-ssh-keys"] == "TRUE" &&
      jsondecode(yamldecode(i.metadata["user-data"]).write_files[0].content).worker == name &&
    !contains(keys(i.metadata), "startup-script")])
    error_message = "orders"
  }
  assert {
    condition = alltrue([for i in google_compute_instance.worker :
      !i.scheduling[0].automatic_restart && i.scheduling[0].on_host_maintenance == "TERMINATE" &&
      i.scheduling[0].provisioning_model == "STANDARD" && i.scheduling[0].instance_termination_action == "STOP" &&
    i.scheduling[0].max_run_duration[0].seconds == 86400])
    error_message = "stopped, never restarted"
  }
}

run "a_new_image_is_not_compared" {
  command = plan
  variables { labels = { cost-centre = "7" } }
  override_data {
    target = data.terraform_remote_state.base
    values = {
      outputs = {
        name            = "muster"
        project         = "proj"
        region          = "europe-west4"
        zone            = "europe-west4-b"
        control_bucket  = "ctl"
        data_bucket     = "data"
        images          = { x86_64 = "projects/proj/global/images/muster-x86-64-2" }
        worker_objects  = {}
        service_account = "muster-worker@proj.iam.gserviceaccount.com"
        subnetwork      = "projects/proj/regions/europe-west4/subnetworks/muster-subnetwork"
        labels          = { managed-by = "muster", fleet = "muster" }
      }
    }
  }
  assert {
    condition     = google_compute_instance.worker["w-1"].boot_disk[0].initialize_params[0].image == "projects/proj/global/images/muster-x86-64-1"
    error_message = "with its old image"
  }
}

run "machines_again" {
  command = plan
  variables {
    labels = { cost-centre = "7" }
    start  = ["w-2"]
  }
  assert {
    condition = (google_compute_instance.worker["w-2"].desired_status == "RUNNING" &&
    google_compute_instance.worker["w-1"].desired_status == null)
    error_message = "the one that was asked for"
  }
}

run "permissions" {
  command = plan
  variables {
    run    = "2026-11-26"
    prefix = "team"
  }
  assert {
    condition     = google_storage_bucket_iam_member.run.role == "roles/storage.objectUser" && google_storage_bucket_iam_member.run.bucket == "ctl"
    error_message = "rewriting needs delete"
  }
  assert {
    condition = split(" || ", google_storage_bucket_iam_member.run.condition[0].expression) == tolist([
      for folder in ["workers", "results", "claims", "barriers", "binaries"] :
      "resource.name.startsWith('projects/_/buckets/ctl/objects/team/2026-11-26/${folder}/')"
    ])
    error_message = google_storage_bucket_iam_member.run.condition[0].expression
  }
  assert {
    condition     = google_compute_instance.worker["w-1"].name == "r-2026-11-26-w-1"
    error_message = google_compute_instance.worker["w-1"].name
  }
}

run "settings" {
  command = plan
  variables {
    groups             = {}
    max_run_duration_s = null
    debug              = true
    workers = {
      axion = { machine_type = "c4a-standard-8", image = "stock", zone = "europe-west4-a", spot = true }
      fast  = { machine_type = "c3-standard-44", tier_1 = true, local_ssds = 2, disk_gib = 100, disk_type = "pd-ssd" }
    }
  }
  assert {
    condition = (google_compute_instance.worker["axion"].scheduling[0].provisioning_model == "SPOT" &&
      google_compute_instance.worker["axion"].scheduling[0].preemptible &&
      google_compute_instance.worker["axion"].scheduling[0].instance_termination_action == "STOP" &&
      google_compute_instance.worker["axion"].zone == "europe-west4-a" &&
      google_compute_instance.worker["axion"].boot_disk[0].initialize_params[0].image == "projects/debian-cloud/global/images/family/debian-13-arm64" &&
      google_compute_instance.worker["axion"].boot_disk[0].initialize_params[0].architecture == "ARM64" &&
    google_compute_instance.worker["axion"].boot_disk[0].initialize_params[0].type == "hyperdisk-balanced")
    error_message = "spot, stock, arm64"
  }
  assert {
    condition = (google_compute_instance.worker["axion"].metadata["user-data"] == google_compute_instance.worker["axion"].metadata["startup-script"] &&
      strcontains(google_compute_instance.worker["axion"].metadata["user-data"], "sha256='abc'") &&
      strcontains(google_compute_instance.worker["axion"].metadata["user-data"], "\"worker\":\"axion\"") &&
      google_compute_instance.worker["axion"].metadata["muster-debug"] == "true" &&
    strcontains(google_compute_instance.worker["axion"].metadata["user-data"], "ExecStart=/usr/local/sbin/muster-worker --power-off"))
    error_message = "a stock image's script"
  }
  assert {
    condition = (length(google_compute_instance.worker["fast"].scratch_disk) == 2 &&
      google_compute_instance.worker["fast"].network_performance_config[0].total_egress_bandwidth_tier == "TIER_1" &&
      google_compute_instance.worker["fast"].boot_disk[0].initialize_params[0].size == 100 &&
      google_compute_instance.worker["fast"].boot_disk[0].initialize_params[0].type == "pd-ssd" &&
    length(google_compute_instance.worker["fast"].scheduling[0].max_run_duration) == 0)
    error_message = "Tier_1, local SSD, disk"
  }
}

run "local_ssd_with_a_limit" {
  command = plan
  variables { defaults = { local_ssds = 1 } }
  assert {
    condition     = google_compute_instance.worker["w-1"].scheduling[0].on_instance_stop_action[0].discard_local_ssd
    error_message = "stopping with local SSD must say so"
  }
}

run "no_image_of_that_architecture" {
  command = plan
  variables { defaults = { machine_type = "c4a-standard-8" } }
  expect_failures = [google_compute_instance.worker]
}

run "no_worker_of_that_architecture" {
  command = plan
  variables { defaults = { image = "stock" } }
  expect_failures = [google_compute_instance.worker]
}

run "a_zone_of_another_region" {
  command = plan
  variables { defaults = { zone = "us-east1-b" } }
  expect_failures = [google_compute_instance.worker]
}

run "a_disk_too_small" {
  command = plan
  variables { defaults = { disk_gib = 4 } }
  expect_failures = [google_compute_instance.worker]
}

run "start_of_nobody" {
  command = plan
  variables { start = ["w-3"] }
  expect_failures = [output.workers_file]
}

run "a_limit_too_short" {
  command = plan
  variables { max_run_duration_s = 29 }
  expect_failures = [var.max_run_duration_s]
}

run "a_limit_too_long" {
  command = plan
  variables { max_run_duration_s = 10368001 }
  expect_failures = [var.max_run_duration_s]
}
