# Machines without an external address, none of which listens: a network without a firewall
# rule lets nothing in and everything out.

locals {
  own_network = var.subnetwork == null ? 1 : 0
}

resource "google_compute_network" "own" {
  count                   = local.own_network
  name                    = "${var.name}-network"
  auto_create_subnetworks = false
}

resource "google_compute_subnetwork" "own" {
  count         = local.own_network
  name          = "${var.name}-subnetwork"
  network       = google_compute_network.own[0].id
  region        = var.region
  ip_cidr_range = var.cidr

  # the way to Cloud Storage
  private_ip_google_access = true
}

resource "google_compute_router" "own" {
  count   = var.nat ? local.own_network : 0
  name    = "${var.name}-router"
  network = google_compute_network.own[0].id
  region  = var.region
}

resource "google_compute_router_nat" "own" {
  count                              = var.nat ? local.own_network : 0
  name                               = "${var.name}-nat"
  router                             = google_compute_router.own[0].name
  region                             = var.region
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "LIST_OF_SUBNETWORKS"

  subnetwork {
    name                    = google_compute_subnetwork.own[0].id
    source_ip_ranges_to_nat = ["ALL_IP_RANGES"]
  }
}
