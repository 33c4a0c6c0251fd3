variable "name" {
  description = "Prefix of everything in this base."
  type        = string
  default     = "muster"
  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$", var.name))
    error_message = "A name is 1 to 20 lower-case letters, digits and -, a letter first, no - at the end."
  }
}

variable "state_dir" {
  description = "Folder of buckets, disks and logs."
  type        = string
  default     = "../../../build/local"
}

variable "programs" {
  description = "Folder of muster-emulator."
  type        = string
  default     = "../../../build"
}

variable "images" {
  description = "Architecture => the folder that `make image` wrote."
  type        = map(string)
  default     = { x86_64 = "../../../build/image" }
}

variable "labels" {
  description = "As in terraform/gcp/base."
  type        = map(string)
  default     = {}
}
