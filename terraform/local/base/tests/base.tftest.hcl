# terraform init && terraform test; plans only, starts nothing

run "the_names_of_gcp" {
  command = plan
  variables {
    name      = "t"
    state_dir = "/nowhere"
    images    = { x86_64 = "/images/x" }
  }
  assert {
    condition     = output.control_bucket == "t-control" && output.data_bucket == "t-data"
    error_message = "${output.control_bucket} ${output.data_bucket}"
  }
  assert {
    condition     = output.images == { x86_64 = "/images/x" } && output.worker_objects == {}
    error_message = jsonencode(output.images)
  }
  assert {
    condition     = output.labels == { managed-by = "muster", fleet = "t" }
    error_message = jsonencode(output.labels)
  }
  assert {
    condition     = terraform_data.server.input.start == 1 && terraform_data.server.input.dir == "/nowhere/t"
    error_message = jsonencode(terraform_data.server.input)
  }
}

run "names_are_as_in_gcp" {
  command = plan
  variables { name = "Not_a_name" }
  expect_failures = [var.name]
}
