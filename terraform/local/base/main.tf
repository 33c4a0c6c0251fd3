# What local fleets share, made once: the emulated bucket and metadata server. The same
# outputs as terraform/gcp/base; no cloud and no provider to download.

terraform {
  required_version = ">= 1.9, < 2.0"
}

locals {
  dir     = abspath("${var.state_dir}/${var.name}")
  buckets = { control = "${var.name}-control", data = "${var.name}-data" }

  # A server that died is started again by the next apply: its number of starts is what
  # replaces it. Its pid file stays after a kill and is gone after a destroy.
  pid      = try(trimspace(file("${local.dir}/emulator.pid")), "")
  is_alive = try(strcontains(file("/proc/${local.pid}/cmdline"), local.dir), false)
  starts   = try(tonumber(trimspace(file("${local.dir}/start"))), 0)
  start    = local.pid != "" && !local.is_alive ? local.starts + 1 : max(local.starts, 1)
}

resource "terraform_data" "server" {
  triggers_replace = [local.start]
  input = {
    script  = abspath("${path.module}/../server.sh")
    dir     = local.dir
    program = abspath("${var.programs}/muster-emulator")
    buckets = join(" ", values(local.buckets))
    start   = local.start
  }

  provisioner "local-exec" {
    command = "\"$SCRIPT\" up"
    environment = {
      SCRIPT         = self.input.script
      SERVER_DIR     = self.input.dir
      SERVER_PROGRAM = self.input.program
      SERVER_BUCKETS = self.input.buckets
      SERVER_START   = self.input.start
    }
  }
}

# Apart from the server, so that starting it again does not delete what is in the buckets.
resource "terraform_data" "buckets" {
  input = {
    script = abspath("${path.module}/../server.sh")
    dir    = local.dir
  }

  provisioner "local-exec" {
    when        = destroy
    command     = "\"$SCRIPT\" down"
    environment = { SCRIPT = self.input.script, SERVER_DIR = self.input.dir }
  }
}
