variable "bucket" {
  description = "The control bucket's name."
  type        = string
}

variable "run" {
  description = "The run's id: the last part of its URL."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.run))
    error_message = "A run id is 1 to 63 lower-case letters, digits and -, with no - at either end."
  }
}

variable "prefix" {
  description = "Folder of the control bucket the run is in: gs://bucket/prefix/run."
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition = var.prefix == "" || (length(var.prefix) <= 512 && alltrue([
      for part in split("/", var.prefix) :
      can(regex("^[A-Za-z0-9._=+@~-]+$", part)) && !contains([".", ".."], part)
    ]))
    error_message = "A prefix is parts of A-Z a-z 0-9 . _ = + @ ~ - with single slashes between them."
  }
}

# The three maps are of any type: Terraform drops keys an object type does not have without a
# word, and a misspelt setting would measure something else than was asked for.

variable "workers" {
  description = "Worker name => its settings."
  type        = any
  default     = {}
  nullable    = false
  validation {
    condition     = can([for name, given in var.workers : keys(given)])
    error_message = "workers is a map of worker names to settings, such as { w-1 = {} }."
  }
  validation {
    condition = alltrue([for name in try(keys(var.workers), []) :
    can(regex("^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", name))])
    error_message = "Worker names are 1 to 63 lower-case letters, digits and -, a letter first, no - at the end."
  }
}

variable "groups" {
  description = "Group => count and settings; the workers are <group>-1 to <group>-<count>."
  type        = any
  default     = {}
  nullable    = false
  validation {
    condition     = can([for name, given in var.groups : keys(given)])
    error_message = "groups is a map of group names to count and settings, such as { w = { count = 2 } }."
  }
  validation {
    condition = alltrue([for name in try(keys(var.groups), []) :
    can(regex("^[a-z]([a-z0-9-]{0,55}[a-z0-9])?$", name))])
    error_message = "Group names are 1 to 57 lower-case letters, digits and -, a letter first, no - at the end."
  }
  validation {
    condition = alltrue([for name, given in try({ for k, v in var.groups : k => v }, {}) :
    try(given.count >= 1 && given.count <= 10000 && floor(given.count) == given.count, false)])
    error_message = "Every group has a count, a whole number from 1 to 10000."
  }
}

variable "defaults" {
  description = "Settings of all workers that do not say otherwise."
  type        = any
  default     = {}
  nullable    = false
  validation {
    condition     = can(keys(var.defaults))
    error_message = "defaults is a map of settings, such as { spot = true }."
  }
}

variable "more_settings" {
  description = "Further settings a fleet's kind knows, with their defaults."
  type        = any
  default     = {}
}

variable "endpoint" {
  description = "URL of an emulated control bucket; null: Google Cloud Storage."
  type        = string
  default     = null
}

variable "debug" {
  description = "Machines stay on when their worker ends."
  type        = bool
  default     = false
  nullable    = false
}
