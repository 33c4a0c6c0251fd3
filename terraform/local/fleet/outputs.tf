# The names and meanings of terraform/gcp/fleet.

output "run_url" {
  value = module.names.run_url
}

# A line per worker: what muster split --workers @FILE reads.
output "workers_file" {
  value = module.names.workers_file
}

# What muster split needs to know of this fleet besides.
output "split_arguments" {
  value = "--data gs://${local.base.data_bucket} --data-endpoint ${local.base.machine_endpoint}"
}

output "endpoint" {
  value = local.base.endpoint
}

output "machines" {
  value = { for name, m in local.machines : name => {
    instance     = m.instance
    zone         = m.zone
    machine_type = m.machine_type
    console      = "${m.dir}/console.log"
  } }
}
