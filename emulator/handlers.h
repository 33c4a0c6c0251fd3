// SPDX-License-Identifier: Apache-2.0
// The handlers the route table names; see struct emu_route.
#ifndef EMULATOR_HANDLERS_H
#define EMULATOR_HANDLERS_H

#include "emulator/req.h"

/* bucket_api.c */
void emu_api_bucket_list(struct emu_req *req);
void emu_api_bucket_insert(struct emu_req *req);
void emu_api_bucket_get(struct emu_req *req);
void emu_api_bucket_delete(struct emu_req *req);
void emu_api_bucket_layout(struct emu_req *req);
void emu_api_bucket_permissions(struct emu_req *req);

/* object_api.c */
void emu_api_object_list(struct emu_req *req);
void emu_api_object_get(struct emu_req *req);
void emu_api_object_download(struct emu_req *req);
void emu_api_object_patch(struct emu_req *req);
void emu_api_object_update(struct emu_req *req);
void emu_api_object_delete(struct emu_req *req);

/* copy_api.c */
void emu_api_compose(struct emu_req *req);
void emu_api_copy(struct emu_req *req);
void emu_api_rewrite(struct emu_req *req);
void emu_api_move(struct emu_req *req);

/* upload.c: each chooses one of the three routes by the query */
void emu_api_upload_begin(struct emu_req *req);
/* initiate.c */
extern const struct emu_route emu_route_initiate;
/* resumable.c */
void emu_api_session_delete(struct emu_req *req);
extern const struct emu_route emu_route_chunk;

/* xml.c */
void emu_xml_get(struct emu_req *req);
void emu_xml_other(struct emu_req *req);

/* admin.c */
void emu_admin_faults_get(struct emu_req *req);
void emu_admin_faults_set(struct emu_req *req);
void emu_admin_faults_clear(struct emu_req *req);
void emu_admin_requests_get(struct emu_req *req);
void emu_admin_requests_clear(struct emu_req *req);
void emu_admin_stats(struct emu_req *req);

/* retry_api.c */
void emu_admin_retry_list(struct emu_req *req);
void emu_admin_retry_add(struct emu_req *req);
void emu_admin_retry_get(struct emu_req *req);
void emu_admin_retry_delete(struct emu_req *req);

/* instance_api.c */
void emu_admin_instance_list(struct emu_req *req);
void emu_admin_instance_put(struct emu_req *req);
void emu_admin_instance_delete(struct emu_req *req);
void emu_admin_instance_preempt(struct emu_req *req);

#endif
