#pragma once

#include "network_system/session/secure_session.h"
