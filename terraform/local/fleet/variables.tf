# The variables of terraform/gcp/fleet. Settings of a worker that only a local machine has:
# cpus, memory_mib, boot (kernel, uefi), disk (nvme, scsi), cloud_init.

variable "run" {
  description = "The run's id, as in muster split gs://BUCKET/RUN."
  type        = string
}

variable "prefix" {
  description = "Folder of the control bucket the run is in."
  type        = string
  default     = ""
}

variable "workers" {
  description = "Worker name => its settings."
  type        = any
  default     = {}
}

variable "groups" {
  description = "Group => count and settings; the workers are <group>-1, <group>-2 …"
  type        = any
  default     = {}
}

variable "defaults" {
  description = "Settings of all workers that do not say otherwise."
  type        = any
  default     = {}
}

variable "debug" {
  description = "Machines stay on when their worker ends."
  type        = bool
  default     = false
}

variable "start" {
  description = "Workers whose machine is off and is to be started again."
  type        = set(string)
  default     = []
}

variable "max_run_duration_s" {
  description = "Machines are stopped after so long; null: never."
  type        = number
  default     = null
}

variable "labels" {
  description = "As in terraform/gcp/fleet; a local machine carries none."
  type        = map(string)
  default     = {}
}

variable "base_state" {
  description = "Where the state of terraform/local/base is."
  type        = object({ backend = string, config = map(string) })
  default     = { backend = "local", config = { path = "../base/terraform.tfstate" } }
}
