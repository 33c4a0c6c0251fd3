# Per worker: every setting, null only where the fleet gives no default of its own, and
#   instance     the machine's name, <run>-<worker>
#   worker_json  /etc/muster/worker.json
#   user_data    cloud-config that writes it; for the own image
#   metadata     attributes that say the same, for any image
output "workers" {
  value = local.workers
  precondition {
    condition     = length(local.unknown) == 0
    error_message = "No such setting: ${join(", ", local.unknown)}. There are: ${join(", ", keys(local.settings))}."
  }
  precondition {
    condition     = length(local.wrong) == 0
    error_message = "${join("; ", local.wrong)}."
  }
  precondition {
    condition     = length(local.entries) > 0
    error_message = "The fleet is empty: name workers or groups, such as groups = { w = { count = 2 } }."
  }
  precondition {
    condition     = length(local.repeated) == 0
    error_message = "Two workers of one name: ${join(", ", local.repeated)}."
  }
  precondition {
    condition     = length(local.too_long) == 0
    error_message = "Instances would have names of more than 63 characters (${local.stem}-<worker>): ${join(", ", local.too_long)}. Shorten the run id or the workers' names."
  }
}

# In the order of the plan; a file of these lines is what muster split --workers @FILE reads.
output "workers_file" {
  value = join("\n", [for entry in local.entries : entry.name])
}

output "run_url" {
  value = local.run_url
}

# The run's folder in the control bucket, with the slash at its end.
output "run_prefix" {
  value = "${local.run_path}/"
}
