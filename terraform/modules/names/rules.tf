# What is said wrongly: refused by output "workers", each by its place.

locals {
  given = merge(
    { for key, value in var.defaults : "defaults.${key}" => { key = key, value = value } },
    merge([for name, given in var.workers : {
      for key, value in given : "workers.${name}.${key}" => { key = key, value = value }
    }]...),
    merge([for name, given in var.groups : {
      for key, value in given : "groups.${name}.${key}" => { key = key, value = value }
      if key != "count"
    }]...),
  )
  unknown = [for path, g in local.given : path if !contains(keys(local.settings), g.key)]

  # What every setting's value must look like, and how to say it.
  rules = {
    machine_type = ["^[a-z][a-z0-9]*(-[a-z0-9]+)+$", "a machine type such as c4-standard-8"]
    zone         = ["^[a-z]+-[a-z]+[0-9]+-[a-z]$", "a zone such as europe-west4-a"]
    arch         = ["^(x86_64|arm64)$", "x86_64 or arm64"]
    image        = ["^(own|stock|(https://[a-z.]+/compute/[a-z0-9]+/)?projects/[^ ]+/global/images/[^ ]+)$", "own, stock, or an image's link (projects/P/global/images/I)"]
    disk_type    = ["^[a-z][a-z-]*[a-z]$", "a disk type such as hyperdisk-balanced"]
    disk_gib     = ["^([4-9]|[1-9][0-9]{1,4})$", "a whole number of GiB from 4"]
    local_ssds   = ["^([0-9]|[12][0-9]|3[0-2])$", "a number from 0 to 32"]
    tier_1       = ["^(true|false)$", "true or false"]
    spot         = ["^(true|false)$", "true or false"]
  }
  wrong = [for path, g in local.given : "${path} is not ${local.rules[g.key][1]}"
    if g.value != null && contains(keys(local.rules), g.key) &&
  !can(regex(local.rules[g.key][0], tostring(g.value)))]
}
