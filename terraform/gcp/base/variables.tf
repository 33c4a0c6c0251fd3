variable "name" {
  description = "Of everything: the label \"fleet\" and the beginning of each name."
  type        = string
  default     = "muster"
  nullable    = false
  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$", var.name))
    error_message = "1 to 20 lower-case letters, digits and -, a letter first, no - at the end."
  }
}

variable "project" {
  description = "Project id. Its APIs compute, iam and storage are enabled."
  type        = string
}

variable "region" {
  description = "Where the network, the buckets and the machines are."
  type        = string
}

variable "zone" {
  description = "Zone of the workers that do not name one; null: <region>-b, which every region has."
  type        = string
  default     = null
  validation {
    condition     = var.zone == null || can(regex("^${var.region}-[a-z]$", var.zone))
    error_message = "The zone is not in the region."
  }
}

variable "images" {
  description = "The worker's own image by architecture: a file, { x86_64 = \"build/image/disk.tar.gz\" }, or the link of an image there is, projects/P/global/images/I. Empty: stock images only."
  type        = map(string)
  default     = {}
  nullable    = false
  validation {
    condition     = alltrue([for arch in keys(var.images) : contains(["x86_64", "arm64"], arch)])
    error_message = "Architectures are x86_64 and arm64."
  }
}

variable "worker_binaries" {
  description = "The static muster-worker by architecture, for stock images: { x86_64 = \"build/muster-worker\" }."
  type        = map(string)
  default     = {}
  nullable    = false
  validation {
    condition     = alltrue([for arch in keys(var.worker_binaries) : contains(["x86_64", "arm64"], arch)])
    error_message = "Architectures are x86_64 and arm64."
  }
}

variable "nat" {
  description = "Cloud NAT: for workers that build gcsfuse, and for stock images, which install fio and fuse3. Cloud Storage is reached without."
  type        = bool
  default     = false
  nullable    = false
}

variable "subnetwork" {
  description = "A subnetwork there is, with Private Google Access, in place of a network of muster's own; null: make one."
  type        = string
  default     = null
}

variable "cidr" {
  description = "Addresses of muster's own subnetwork; /20 has room for 4,092 workers."
  type        = string
  default     = "10.64.0.0/20"
}

variable "bucket_location" {
  description = "Of both buckets; null: the region."
  type        = string
  default     = null
}

variable "bucket_prefix" {
  description = "Buckets are <bucket_prefix>-control and <bucket_prefix>-data; null: <project>-<name>."
  type        = string
  default     = null
}

variable "data_days" {
  description = "Age at which data under test are deleted, in days: an upper limit of what is left lying around."
  type        = number
  default     = 14
  nullable    = false
}

variable "keep_results" {
  description = "true: terraform destroy refuses to delete a control bucket that still has runs in it."
  type        = bool
  default     = true
  nullable    = false
}

variable "labels" {
  description = "Further labels of everything that can have them."
  type        = map(string)
  default     = {}
  nullable    = false
}
