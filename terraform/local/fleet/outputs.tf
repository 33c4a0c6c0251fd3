# The names and meanings of terraform/gcp/fleet, all known to terraform plan.

output "run_url" {
  value = module.names.run_url
}

output "data_url" {
  value = "gs://${local.base.data_bucket}"
}

# A file of this is what muster split --workers @FILE reads.
output "workers_file" {
  value = module.names.workers_file

  precondition {
    condition     = length(setsubtract(var.start, keys(local.machines))) == 0
    error_message = "start: no such worker: ${join(", ", setsubtract(var.start, keys(local.machines)))}."
  }
}

# Worker => its machine.
output "workers" {
  value = { for name, m in local.machines : name => {
    instance     = m.instance
    zone         = m.zone
    machine_type = m.machine_type
    arch         = m.arch
    console      = "${m.dir}/console.log"
  } }
}
