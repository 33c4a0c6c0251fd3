# The machines of one run, as QEMU VMs of the real image on this machine. The same variables
# and outputs as terraform/gcp/fleet.

terraform {
  required_version = ">= 1.9, < 2.0"
}

data "terraform_remote_state" "base" {
  backend = var.base_state.backend
  config  = var.base_state.config
}

locals {
  base = data.terraform_remote_state.base.outputs
}

module "names" {
  source   = "../../modules/names"
  bucket   = local.base.control_bucket
  run      = var.run
  prefix   = var.prefix
  workers  = var.workers
  groups   = var.groups
  defaults = var.defaults
  endpoint = local.base.machine_endpoint
  debug    = var.debug
  more_settings = {
    disk_gib   = 4
    zone       = local.base.zone
    cpus       = 1
    memory_mib = 1024
    boot       = "kernel"
    disk       = "nvme"
    cloud_init = true
  }
}

locals {
  machines = { for name, worker in module.names.workers : name => merge(worker, {
    dir = "${local.base.dir}/machines/${worker.instance}"
    # what tells the metadata server which machine asks: a loopback address of its own
    address = format("127.%d.%d.%d", [for i in range(3) :
    1 + parseint(substr(md5(worker.instance), 2 * i, 2), 16) % 250]...)
  }) }

  # A machine that was killed is started again by the next apply, on its disk; one that
  # powered itself off is left alone: its run is over. QEMU takes its pid file away when it
  # ends in order. `start` begins one that is off again, as terraform/gcp/fleet does.
  pid      = { for name, m in local.machines : name => try(trimspace(file("${m.dir}/qemu.pid")), "") }
  is_alive = { for name, m in local.machines : name => try(strcontains(file("/proc/${local.pid[name]}/cmdline"), m.dir), false) }
  starts   = { for name, m in local.machines : name => try(tonumber(trimspace(file("${m.dir}/start"))), 0) }
  start = { for name, n in local.starts : name =>
    n > 0 && !local.is_alive[name] && (local.pid[name] != "" || contains(var.start, name)) ? n + 1 : max(n, 1)
  }
}

# One start of a machine. Its end is of no concern: the machine's folder belongs to
# terraform_data.machine, which a new start does not replace.
resource "terraform_data" "start" {
  for_each         = local.machines
  triggers_replace = [local.start[each.key]]
  input            = terraform_data.machine[each.key].output

  provisioner "local-exec" {
    command = "\"$SCRIPT\" up"
    environment = merge(self.input, {
      MACHINE_INSTANCE = jsonencode({
        address      = each.value.address
        zone         = each.value.zone
        machine_type = each.value.machine_type
        image        = local.base.images[each.value.arch]
        attributes   = merge(each.value.metadata, { user-data = each.value.user_data })
      })
      MACHINE_START   = local.start[each.key]
      MACHINE_LIMIT_S = try(tostring(var.max_run_duration_s), "")
    })
  }
}

resource "terraform_data" "machine" {
  for_each = local.machines
  input = {
    SCRIPT         = abspath("${path.module}/../machine.sh")
    MACHINE_SERVER = local.base.endpoint
    VM_NAME        = each.value.instance
    VM_DIR         = each.value.dir
    VM_IMAGE       = local.base.images[each.value.arch]
    VM_ADDRESS     = each.value.address
    VM_METADATA    = local.base.metadata
    VM_ENDPOINT    = trimprefix(local.base.endpoint, "http://")
    VM_CPUS        = each.value.cpus
    VM_MEMORY_MIB  = each.value.memory_mib
    VM_DISK_GIB    = each.value.disk_gib
    VM_BOOT        = each.value.boot
    VM_DISK        = each.value.disk
    VM_CLOUD_INIT  = each.value.cloud_init ? "yes" : "no"
  }

  provisioner "local-exec" {
    when        = destroy
    command     = "\"$SCRIPT\" down"
    environment = self.input
  }
}
