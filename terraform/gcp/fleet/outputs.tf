# All known to terraform plan, before anything is made; terraform/local/fleet has the same.

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
    condition     = length(setsubtract(var.start, keys(local.workers))) == 0
    error_message = "start: no such worker: ${join(", ", setsubtract(var.start, keys(local.workers)))}."
  }
}

# Worker => its machine.
output "workers" {
  value = { for name, w in local.workers : name => {
    instance     = w.instance
    zone         = w.zone
    machine_type = w.machine_type
    arch         = w.arch
  } }
}
