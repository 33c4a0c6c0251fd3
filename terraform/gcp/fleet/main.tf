# The machines of one run. A machine boots, its worker reads its job from the bucket, runs it
# and powers the machine off; that is all there is to a fleet.
#
# A second apply never runs a finished job again:
# - A machine that has powered itself off stays, stopped, in Terraform's state, so there is
#   nothing to create; whether it runs is not compared (desired_status is null). A machine
#   that deleted itself would be made anew, and so would one of an instance group: groups
#   repair what has stopped. Stopped machines cost their disks; destroy takes them away.
# - What would replace a machine, or change its orders, behind the user's back is not
#   compared either: a new image in base, a new version of the user-data here.
# - And if one starts again nevertheless, its worker finds its results in the bucket and
#   powers off.

data "terraform_remote_state" "base" {
  backend = var.base_state.backend
  config  = var.base_state.config
}

module "names" {
  source   = "../../modules/names"
  bucket   = local.base.control_bucket
  endpoint = try(local.base.endpoint, null)
  prefix   = var.prefix
  run      = var.run
  workers  = var.workers
  groups   = var.groups
  defaults = var.defaults
  debug    = var.debug

  more_settings = { zone = local.base.zone }
}

locals {
  base    = data.terraform_remote_state.base.outputs
  labels  = merge(var.labels, local.base.labels, { run = var.run })
  workers = module.names.workers

  image = { for name, w in local.workers : name => (
    w.image == "own" ? try(local.base.images[w.arch], null) :
    w.image == "stock" ? lookup(var.stock_images, w.arch, null) : w.image
  ) }
  # what a stock image runs when it boots
  bootstrap = { for name, w in local.workers : name => templatefile(
    "${path.module}/../../../image/stock/user-data.tftpl", {
      endpoint    = try(local.base.endpoint, null) == null ? "" : local.base.endpoint
      bucket      = local.base.worker_objects[w.arch].bucket
      object      = local.base.worker_objects[w.arch].object
      sha256      = local.base.worker_objects[w.arch].sha256
      debug       = var.debug
      worker_json = w.worker_json
      unit        = file("${path.module}/../../../image/files/muster-worker.service")
      script      = file("${path.module}/../../../image/stock/bootstrap.sh")
    }
  ) if w.image != "own" && can(local.base.worker_objects[w.arch]) }
}

# Where this run's workers may write. objectUser, because rewriting needs delete. One binding
# with five names in it: a bucket takes 20 conditional ones of a role and an account, which is
# how many runs of one base can go on at once.
resource "google_storage_bucket_iam_member" "run" {
  bucket = local.base.control_bucket
  role   = "roles/storage.objectUser"
  member = "serviceAccount:${local.base.service_account}"

  condition {
    title       = substr("run-${var.run}", 0, 100)
    description = module.names.run_url
    expression = join(" || ", [
      for folder in ["workers", "results", "claims", "barriers", "binaries"] :
      "resource.name.startsWith('projects/_/buckets/${local.base.control_bucket}/objects/${module.names.run_prefix}${folder}/')"
    ])
  }
}

resource "google_compute_instance" "worker" {
  for_each     = local.workers
  name         = each.value.instance
  zone         = each.value.zone
  machine_type = each.value.machine_type
  labels       = merge(local.labels, { worker = each.key })

  # null: as it is. Starting one again is asked for by name.
  desired_status = contains(var.start, each.key) ? "RUNNING" : null

  metadata = merge(
    each.value.metadata,
    each.value.image == "own" ? { user-data = each.value.user_data } : {
      # cloud-init runs the first, Google's guest agent the second, some images both
      user-data      = lookup(local.bootstrap, each.key, "")
      startup-script = lookup(local.bootstrap, each.key, "")
    },
    { block-project-ssh-keys = "TRUE" },
  )

  boot_disk {
    auto_delete = true
    initialize_params {
      image        = local.image[each.key]
      architecture = upper(each.value.arch)
      type         = each.value.disk_type
      size         = each.value.disk_gib
      labels       = local.labels
    }
  }

  dynamic "scratch_disk" {
    for_each = range(each.value.local_ssds)
    content {
      interface = "NVME"
    }
  }

  # no access_config: no external address
  network_interface {
    subnetwork = local.base.subnetwork
    nic_type   = "GVNIC"
  }

  dynamic "network_performance_config" {
    for_each = each.value.tier_1 ? [1] : []
    content {
      total_egress_bandwidth_tier = "TIER_1"
    }
  }

  # the account's roles are the limit, not the scope
  service_account {
    email  = local.base.service_account
    scopes = ["https://www.googleapis.com/auth/devstorage.full_control"]
  }

  # A machine that is moved while it measures measures the move: stop it instead.
  scheduling {
    provisioning_model          = each.value.spot ? "SPOT" : "STANDARD"
    preemptible                 = each.value.spot
    automatic_restart           = false
    on_host_maintenance         = "TERMINATE"
    instance_termination_action = each.value.spot || var.max_run_duration_s != null ? "STOP" : null

    dynamic "max_run_duration" {
      for_each = var.max_run_duration_s == null ? [] : [var.max_run_duration_s]
      content {
        seconds = max_run_duration.value
      }
    }
    dynamic "on_instance_stop_action" {
      for_each = each.value.local_ssds > 0 && var.max_run_duration_s != null ? [1] : []
      content {
        discard_local_ssd = true
      }
    }
  }

  # the image's kernel is not signed
  shielded_instance_config {
    enable_secure_boot = false
  }

  lifecycle {
    ignore_changes = [
      boot_disk[0].initialize_params[0].image,
      metadata,
    ]
    precondition {
      condition     = local.image[each.key] != null
      error_message = "${each.key}: there is no image \"${each.value.image}\" for ${each.value.arch}: give base images = { ${each.value.arch} = FILE }, or the worker image = \"stock\"."
    }
    precondition {
      condition     = each.value.image == "own" || contains(keys(local.bootstrap), each.key)
      error_message = "${each.key}: a stock image fetches the worker from the bucket, and there is none for ${each.value.arch}: give base worker_binaries = { ${each.value.arch} = FILE }."
    }
    precondition {
      condition     = startswith(each.value.zone, "${local.base.region}-")
      error_message = "${each.key}: zone ${each.value.zone} is not in ${local.base.region}, where base has its network."
    }
    precondition {
      condition     = each.value.disk_gib >= 10
      error_message = "${each.key}: Compute Engine's smallest boot disk is 10 GiB."
    }
  }

  # until it is there the worker may read and not write
  depends_on = [google_storage_bucket_iam_member.run]
}
