variable "run" {
  description = "The run's id, as in muster split gs://CONTROL/[PREFIX/]RUN."
  type        = string
}

variable "prefix" {
  description = "Folder of the control bucket that the run is in; \"\": none."
  type        = string
  default     = ""
  nullable    = false
}

variable "workers" {
  description = "Worker name => settings (terraform/README.md), all optional: { a = {}, b = { machine_type = \"c4a-standard-8\" } }."
  type        = any
  default     = {}
  nullable    = false
}

variable "groups" {
  description = "Group => count and settings: { w = { count = 2 } } is the workers w-1 and w-2, as muster split --workers 2 names them."
  type        = any
  default     = {}
  nullable    = false
}

variable "defaults" {
  description = "Settings of all workers that do not say otherwise."
  type        = any
  default     = {}
  nullable    = false
}

variable "debug" {
  description = "Machines stay on when their worker ends, or when a stock image cannot be set up."
  type        = bool
  default     = false
  nullable    = false
}

variable "base_state" {
  description = "Where the state of terraform/gcp/base is, as terraform_remote_state takes it."
  type        = object({ backend = string, config = map(string) })
  default = {
    backend = "local"
    config  = { path = "../base/terraform.tfstate" }
  }
  nullable = false
}

variable "stock_images" {
  description = "What image = \"stock\" is, by architecture: anything with apt-get or dnf that runs user-data or a startup-script."
  type        = map(string)
  default = {
    x86_64 = "projects/debian-cloud/global/images/family/debian-13"
    arm64  = "projects/debian-cloud/global/images/family/debian-13-arm64"
  }
  nullable = false
}

variable "max_run_duration_s" {
  description = "Machines are stopped after so many seconds whatever they do; null: no limit but the jobs' own."
  type        = number
  default     = 86400
  validation {
    condition = var.max_run_duration_s == null || try(
      var.max_run_duration_s >= 30 && var.max_run_duration_s <= 10368000 &&
    floor(var.max_run_duration_s) == var.max_run_duration_s, false)
    error_message = "Compute Engine takes whole seconds from 30 to 10368000 (120 days)."
  }
}

variable "start" {
  description = "Workers whose stopped machines are to run again: preempted ones, or after muster resume. Empty it again after the apply."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "labels" {
  description = "Further labels of machines and disks."
  type        = map(string)
  default     = {}
  nullable    = false
}
