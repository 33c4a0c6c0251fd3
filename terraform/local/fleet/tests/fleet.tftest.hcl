# terraform init && terraform test; plans only, starts nothing

override_data {
  target = data.terraform_remote_state.base
  values = {
    outputs = {
      name             = "muster"
      zone             = "local-local1-a"
      control_bucket   = "ctl"
      data_bucket      = "data"
      endpoint         = "http://127.0.0.1:4443"
      machine_endpoint = "http://169.254.169.253"
      metadata         = "127.0.0.1:8080"
      dir              = "/nowhere/muster"
      images           = { x86_64 = "/images/x" }
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
    condition     = output.workers["w-2"].instance == "r1-w-2" && output.workers["w-2"].console == "/nowhere/muster/machines/r1-w-2/console.log"
    error_message = jsonencode(output.workers)
  }
}

run "a_machine_is_what_was_asked_for" {
  command = plan
  variables { defaults = { cpus = 2, boot = "uefi", disk = "scsi", cloud_init = false, disk_gib = 10 } }
  assert {
    condition = terraform_data.machine["w-1"].input == {
      SCRIPT         = terraform_data.machine["w-1"].input.SCRIPT
      MACHINE_SERVER = "http://127.0.0.1:4443"
      VM_NAME        = "r1-w-1"
      VM_DIR         = "/nowhere/muster/machines/r1-w-1"
      VM_IMAGE       = "/images/x"
      VM_ADDRESS     = terraform_data.machine["w-1"].input.VM_ADDRESS
      VM_METADATA    = "127.0.0.1:8080"
      VM_ENDPOINT    = "127.0.0.1:4443"
      VM_CPUS        = 2
      VM_MEMORY_MIB  = 1024
      VM_DISK_GIB    = 10
      VM_BOOT        = "uefi"
      VM_DISK        = "scsi"
      VM_CLOUD_INIT  = "no"
    }
    error_message = jsonencode(terraform_data.machine["w-1"].input)
  }
  assert {
    condition     = can(regex("^127(\\.([1-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|250)){3}$", terraform_data.machine["w-1"].input.VM_ADDRESS))
    error_message = "a loopback address of its own: ${terraform_data.machine["w-1"].input.VM_ADDRESS}"
  }
  assert {
    condition     = terraform_data.machine["w-1"].input.VM_ADDRESS != terraform_data.machine["w-2"].input.VM_ADDRESS
    error_message = "two machines, one address"
  }
}

run "first_starts" {
  command = plan
  assert {
    condition     = alltrue([for s in terraform_data.start : s.triggers_replace == [1]])
    error_message = "a machine that never ran is started once"
  }
}

run "only_workers_can_be_started" {
  command = plan
  variables { start = ["w-3"] }
  expect_failures = [output.workers_file]
}
