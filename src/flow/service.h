/* SPDX-License-Identifier: Apache-2.0 */
/* Who opened a connection and what it served; used inside the room only. */
#ifndef WEIR_FLOW_SERVICE_H
#define WEIR_FLOW_SERVICE_H

#include "weir/flow.h"

/* OPENED_BY_HOST: the source of the record opened it; OPENED_BY_PEER: its destination did. */
enum flow_opened service_opened_by_source(const struct record *r);
uint16_t service_port(const struct record *r, enum flow_opened by_source);
enum service_class service_classify(uint8_t protocol, uint16_t port);

#endif
