# terraform init && terraform test; needs no provider

variables {
  bucket = "ctl"
  run    = "r1"
}

run "a_group_is_named_as_split_names_workers" {
  command = plan
  variables { groups = { w = { count = 12 } } }
  assert {
    condition     = output.workers_file == join("\n", [for i in range(12) : "w-${i + 1}"])
    error_message = "in the order of their numbers: ${output.workers_file}"
  }
  assert {
    condition     = length(output.workers) == 12 && output.workers["w-12"].instance == "r1-w-12"
    error_message = "instances are <run>-<worker>"
  }
  assert {
    condition     = output.run_url == "gs://ctl/r1" && output.run_prefix == "r1/"
    error_message = "the run's URL: ${output.run_url}"
  }
}

run "workers_and_groups_mix" {
  command = plan
  variables {
    prefix  = "team/a"
    workers = { big = { machine_type = "c4a-standard-72" }, w-9 = {} }
    groups  = { w = { count = 2, spot = true }, v = { count = 1 } }
  }
  assert {
    condition     = output.workers_file == "big\nw-9\nv-1\nw-1\nw-2"
    error_message = "named ones first: ${output.workers_file}"
  }
  assert {
    condition     = output.run_url == "gs://ctl/team/a/r1" && output.run_prefix == "team/a/r1/"
    error_message = "the prefix is part of the URL: ${output.run_url}"
  }
  assert {
    condition     = output.workers["w-2"].spot && !output.workers["w-9"].spot && !output.workers["v-1"].spot
    error_message = "a group's settings are its own workers'"
  }
}

run "what_is_nearer_wins" {
  command = plan
  variables {
    defaults = { machine_type = "n2-standard-4", disk_gib = 50, tier_1 = true, zone = "us-east1-b", spot = true }
    workers = {
      a = {}
      b = { machine_type = "c4-standard-8", zone = "us-east1-c", spot = false, disk_gib = null }
    }
    groups = { g = { count = 1, local_ssds = 2, disk_type = "pd-ssd", image = "stock" } }
  }
  assert {
    condition = alltrue([for name, want in {
      a   = ["n2-standard-4", "us-east1-b", true, 50, 0, "pd-balanced", "own"]
      b   = ["c4-standard-8", "us-east1-c", false, 50, 0, "hyperdisk-balanced", "own"]
      g-1 = ["n2-standard-4", "us-east1-b", true, 50, 2, "pd-ssd", "stock"]
      } : jsonencode(want) == jsonencode([for key in
    ["machine_type", "zone", "spot", "disk_gib", "local_ssds", "disk_type", "image"] : output.workers[name][key]])])
    error_message = jsonencode(output.workers)
  }
  assert {
    condition     = alltrue([for w in output.workers : w.tier_1 == true])
    error_message = "defaults hold for all"
  }
}

run "built_in_settings" {
  command = plan
  variables { workers = { a = {} } }
  assert {
    condition = jsonencode({ for key in ["arch", "disk_gib", "disk_type", "image", "local_ssds",
      "machine_type", "spot", "tier_1", "zone"] : key => output.workers.a[key] }) == jsonencode({
      arch = "x86_64", disk_gib = 20, disk_type = "pd-balanced", image = "own",
    local_ssds = 0, machine_type = "n2-standard-8", spot = false, tier_1 = false, zone = null })
    error_message = jsonencode(output.workers.a)
  }
}

run "what_follows_from_the_machine_type" {
  command = plan
  variables {
    workers = {
      axion   = { machine_type = "c4a-highmem-8" }
      tau     = { machine_type = "t2a-standard-4" }
      c3      = { machine_type = "c3-standard-176-lssd" }
      n4      = { machine_type = "n4-standard-2" }
      claimed = { machine_type = "z9-standard-2", arch = "arm64", disk_type = "hyperdisk-extreme" }
    }
  }
  assert {
    condition = alltrue([for name, want in {
      axion   = "arm64 hyperdisk-balanced"
      tau     = "arm64 pd-balanced"
      c3      = "x86_64 pd-balanced"
      n4      = "x86_64 hyperdisk-balanced"
      claimed = "arm64 hyperdisk-extreme"
    } : want == "${output.workers[name].arch} ${output.workers[name].disk_type}"])
    error_message = jsonencode({ for name, w in output.workers : name => [w.arch, w.disk_type] })
  }
}

run "identity" {
  command = plan
  variables { workers = { a = {} } }
  assert {
    condition = jsondecode(output.workers.a.worker_json) == {
      schema = "muster/vm/1", run_url = "gs://ctl/r1", worker = "a", endpoint = null, debug = false
    }
    error_message = output.workers.a.worker_json
  }
  assert {
    condition     = startswith(output.workers.a.user_data, "#cloud-config\n")
    error_message = "cloud-init wants its first line"
  }
  assert {
    condition = yamldecode(output.workers.a.user_data).write_files == [{
      path = "/etc/muster/worker.json", permissions = "0644", content = output.workers.a.worker_json
    }]
    error_message = output.workers.a.user_data
  }
  assert {
    condition     = output.workers.a.metadata == tomap({ muster-run = "gs://ctl/r1", muster-worker = "a" })
    error_message = jsonencode(output.workers.a.metadata)
  }
}

run "identity_with_an_emulated_bucket" {
  command = plan
  variables {
    workers  = { a = {} }
    endpoint = "http://169.254.169.253:80"
    debug    = true
  }
  assert {
    condition = jsondecode(output.workers.a.worker_json) == {
      schema   = "muster/vm/1", run_url = "gs://ctl/r1", worker = "a"
      endpoint = "http://169.254.169.253:80", debug = true
    }
    error_message = output.workers.a.worker_json
  }
  assert {
    condition = output.workers.a.metadata == tomap({
      muster-run      = "gs://ctl/r1", muster-worker = "a", muster-debug = "true"
      muster-endpoint = "http://169.254.169.253:80"
    })
    error_message = jsonencode(output.workers.a.metadata)
  }
}

run "more_settings_of_a_kind_of_fleet" {
  command = plan
  variables {
    more_settings = { cpus = 1, memory_mib = 1024 }
    defaults      = { memory_mib = 2048 }
    workers       = { a = { cpus = 4 } }
  }
  assert {
    condition     = output.workers.a.cpus == 4 && output.workers.a.memory_mib == 2048
    error_message = jsonencode(output.workers.a)
  }
}

run "instances_begin_with_a_letter" {
  command = plan
  variables {
    run     = "2026-11-26"
    workers = { w-1 = {} }
  }
  assert {
    condition     = output.workers["w-1"].instance == "r-2026-11-26-w-1" && output.run_url == "gs://ctl/2026-11-26"
    error_message = output.workers["w-1"].instance
  }
}

run "an_instance_of_63_characters" {
  command = plan
  variables {
    run     = "r234567890123456789012345678901234567890123456789012345678901" # 61
    workers = { a = {} }
  }
  assert {
    condition     = length(output.workers.a.instance) == 63
    error_message = output.workers.a.instance
  }
}

run "an_instance_of_64_characters" {
  command = plan
  variables {
    run     = "r23456789012345678901234567890123456789012345678901234567890"
    workers = { abc = {} }
  }
  expect_failures = [output.workers]
}

run "an_instance_too_long_for_its_letter" {
  command = plan
  variables {
    run     = "1234567890123456789012345678901234567890123456789012345678901"
    workers = { a = {} }
  }
  expect_failures = [output.workers]
}

run "a_worker_named_as_a_group_names_one" {
  command = plan
  variables {
    workers = { w-2 = {} }
    groups  = { w = { count = 2 } }
  }
  expect_failures = [output.workers]
}

run "two_groups_that_make_one_name" {
  command = plan
  variables { groups = { a = { count = 11 }, a-1 = { count = 1 } } }
  assert {
    condition     = length(output.workers) == 12
    error_message = "a-11 and a-1-1 are two names"
  }
}

run "nobody" {
  command         = plan
  expect_failures = [output.workers]
}

run "unknown_setting_of_a_worker" {
  command = plan
  variables { workers = { a = { machine_typ = "c4-standard-8" } } }
  expect_failures = [output.workers]
}

run "unknown_setting_of_a_group" {
  command = plan
  variables { groups = { a = { count = 1, ssd = 1 } } }
  expect_failures = [output.workers]
}

run "unknown_default" {
  command = plan
  variables {
    defaults = { count = 1 }
    workers  = { a = {} }
  }
  expect_failures = [output.workers]
}

run "a_setting_of_another_kind_of_fleet" {
  command = plan
  variables { workers = { a = { cpus = 2 } } }
  expect_failures = [output.workers]
}

run "bad_values" {
  command = plan
  variables {
    workers = { a = {
      machine_type = "big", zone = "europe-west4", arch = "amd64", image = "theirs", disk_type = "PD",
      disk_gib     = 20.5, local_ssds = 33, tier_1 = "yes", spot = 1
    } }
  }
  expect_failures = [output.workers]
}

run "good_images" {
  command = plan
  variables {
    workers = {
      a = { image = "projects/p/global/images/i" }
      b = { image = "projects/p/global/images/family/f" }
      c = { image = "https://www.googleapis.com/compute/v1/projects/p/global/images/i" }
    }
  }
}

run "bad_image" {
  command = plan
  variables { workers = { a = { image = "debian-13" } } }
  expect_failures = [output.workers]
}

run "run_id_in_capitals" {
  command = plan
  variables {
    run     = "R1"
    workers = { a = {} }
  }
  expect_failures = [var.run]
}

run "run_id_with_a_slash" {
  command = plan
  variables {
    run     = "a/b"
    workers = { a = {} }
  }
  expect_failures = [var.run]
}

run "run_id_with_a_dash_at_its_end" {
  command = plan
  variables {
    run     = "a-"
    workers = { a = {} }
  }
  expect_failures = [var.run]
}

run "prefix_with_a_slash_at_its_end" {
  command = plan
  variables {
    prefix  = "team/"
    workers = { a = {} }
  }
  expect_failures = [var.prefix]
}

run "prefix_that_climbs" {
  command = plan
  variables {
    prefix  = "team/../x"
    workers = { a = {} }
  }
  expect_failures = [var.prefix]
}

run "worker_name_in_capitals" {
  command = plan
  variables { workers = { W-1 = {} } }
  expect_failures = [var.workers]
}

run "worker_name_of_a_digit" {
  command = plan
  variables { workers = { "1w" = {} } }
  expect_failures = [var.workers]
}

run "workers_as_a_list" {
  command = plan
  variables { workers = ["w-1"] }
  expect_failures = [var.workers]
}

run "worker_without_settings" {
  command = plan
  variables { workers = { w-1 = null } }
  expect_failures = [var.workers]
}

run "group_name" {
  command = plan
  variables { groups = { w_ = { count = 1 } } }
  expect_failures = [var.groups]
}

run "group_without_a_count" {
  command = plan
  variables { groups = { w = {} } }
  expect_failures = [var.groups]
}

run "group_of_none" {
  command = plan
  variables { groups = { w = { count = 0 } } }
  expect_failures = [var.groups]
}

run "group_of_one_and_a_half" {
  command = plan
  variables { groups = { w = { count = 1.5 } } }
  expect_failures = [var.groups]
}

run "group_of_too_many" {
  command = plan
  variables { groups = { w = { count = 10001 } } }
  expect_failures = [var.groups]
}
