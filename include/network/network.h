#pragma once

// The header of the old network_module, by its old path.
#include "network/core/messaging_client.h"
#include "network/core/messaging_server.h"
#include "network/internal/common_defs.h"
#include "network/session/messaging_session.h"
