# What a build of this source tree can be told.

set(is_top_level OFF)
if(CMAKE_SOURCE_DIR STREQUAL PROJECT_SOURCE_DIR)
    set(is_top_level ON)
endif()

# Names that programs set for the earlier library. Those with no meaning here are accepted and read, so that a -D of
# one draws no warning: what they switched is either always there or not part of this library.
foreach(name IN ITEMS
        BUILD_SAMPLES BUILD_VERIFY_BUILD BUILD_MESSAGING_BRIDGE BUILD_TLS_SUPPORT BUILD_WEBSOCKET_SUPPORT
        BUILD_WITH_LOGGER_SYSTEM BUILD_WITH_MONITORING_SYSTEM ENABLE_COVERAGE NETWORK_BUILD_BENCHMARKS
        NETWORK_BUILD_MODULES NETWORK_BUILD_SAMPLES NETWORK_ENABLE_GRPC_OFFICIAL)
    set(accepted "${${name}}")
endforeach()

# BUILD_TESTS is a name that every project uses for its own tests: it is ours only when we are the project.
set(build_tests OFF)
if((is_top_level AND BUILD_TESTS) OR NETWORK_BUILD_INTEGRATION_TESTS)
    set(build_tests ON)
endif()
option(NETWORK_BUILD_TESTS "Build the C++ tests (needs GoogleTest)" ${build_tests})
option(NETWORK_INSTALL "Install the library with the project" ON)
option(NETWORK_BUILD_BENCH "Build netsys-bench, the load tool (needs a C++ compiler)" ${is_top_level})

foreach(companion IN ITEMS container_system thread_system common_system)
    string(TOUPPER ${companion} name)
    option(BUILD_WITH_${name} "Adapt the C++ headers to ${companion}, if it is found" OFF)
endforeach()

# The targets without Core or Static in their name link the shared library, unless static ones are asked for.
set(use_static_libs OFF)
if(DEFINED BUILD_SHARED_LIBS AND NOT BUILD_SHARED_LIBS)
    set(use_static_libs ON)
endif()
option(NetworkSystem_USE_STATIC_LIBS "NetworkSystem::NetworkSystem and its other names mean the static library"
       ${use_static_libs})

set(NETWORK_CARGO_TARGET_DIR "${PROJECT_BINARY_DIR}/cargo" CACHE PATH "Where cargo keeps what it compiles")
set(NETWORK_RUST_TARGET "$ENV{CARGO_BUILD_TARGET}" CACHE STRING "Target triple for cargo; empty: this machine")
mark_as_advanced(NETWORK_CARGO_TARGET_DIR NETWORK_RUST_TARGET)
