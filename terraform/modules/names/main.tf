# Who is in a fleet: the workers of a run with their machines' names, settings and user-data.
# No provider and no resource: terraform/gcp/fleet and terraform/local/fleet both use it.

terraform {
  required_version = ">= 1.9, < 2.0"
}

locals {
  # Every setting of a worker with its value when nobody gives one. null: what follows from
  # the machine type, or the fleet's own default in more_settings.
  settings = merge({
    machine_type = "n2-standard-8"
    zone         = null
    arch         = null
    image        = "own"
    disk_type    = null
    disk_gib     = 20
    local_ssds   = 0
    tier_1       = false
    spot         = false
  }, var.more_settings)

  # Named workers first, then groups: w with count 2 is w-1 and w-2.
  entries = concat(
    [for name, given in var.workers : { name = name, given = given }],
    flatten([for group, given in var.groups : [
      for i in range(try(given.count, 0)) : {
        name  = "${group}-${i + 1}"
        given = { for key, value in given : key => value if key != "count" }
      }
    ]])
  )
  by_name  = { for entry in local.entries : entry.name => entry.given... }
  repeated = [for name, given in local.by_name : name if length(given) > 1]

  # An instance is named as Compute Engine wants it: 63 characters, a letter first.
  stem     = can(regex("^[0-9]", var.run)) ? "r-${var.run}" : var.run
  instance = { for name in keys(local.by_name) : name => "${local.stem}-${name}" }
  too_long = [for name, instance in local.instance : name if length(instance) > 63]

  # What is nearer wins, setting by setting; null is nothing said.
  chosen = { for name, given in local.by_name : name => merge(
    local.settings,
    { for key, value in var.defaults : key => value if value != null },
    { for key, value in given[0] : key => value if value != null },
  ) }

  run_path = join("/", compact([var.prefix, var.run]))
  run_url  = "gs://${var.bucket}/${local.run_path}"

  family = { for name, s in local.chosen : name => split("-", s.machine_type)[0] }
  workers = { for name, s in local.chosen : name => merge(s, {
    instance = local.instance[name]
    arch = coalesce(s.arch, contains(
    ["c4a", "n4a", "t2a"], local.family[name]) ? "arm64" : "x86_64")
    # the newest families boot from Hyperdisk only
    disk_type = coalesce(s.disk_type, contains(
      ["c4", "c4a", "c4d", "c4n", "n4", "n4a", "n4d", "h4d", "m4", "x4"], local.family[name],
    ) ? "hyperdisk-balanced" : "pd-balanced")
    worker_json = local.worker_json[name]
    # JSON is YAML too
    user_data = "#cloud-config\n${jsonencode({ write_files = [{
      path        = "/etc/muster/worker.json"
      permissions = "0644"
      content     = local.worker_json[name]
    }] })}\n"
    metadata = tomap(merge(
      { muster-run = local.run_url, muster-worker = name },
      var.endpoint == null ? {} : { muster-endpoint = var.endpoint },
      var.debug ? { muster-debug = "true" } : {},
    ))
  }) }

  worker_json = { for name in keys(local.by_name) : name => "${jsonencode({
    schema   = "muster/vm/1"
    run_url  = local.run_url
    worker   = name
    endpoint = var.endpoint
    debug    = var.debug
  })}\n" }
}
