# network_system_build_core(): lets cargo compile the core into ${PROJECT_BINARY_DIR}/lib, under the names that an
# install has; programs search that folder of a build tree too. Nothing is written to the source tree, which may be
# read-only, and nothing is fetched once cargo has the crates.
#
# Defines the target network_system_core and, for the caller, NETWORK_SYSTEM_LIBRARY_DIR, NETWORK_SYSTEM_SHARED_LIBRARY
# and NETWORK_SYSTEM_STATIC_LIBRARY.

find_program(NETWORK_CARGO cargo HINTS "$ENV{CARGO_HOME}/bin" "$ENV{HOME}/.cargo/bin" DOC "Rust's build tool")
mark_as_advanced(NETWORK_CARGO)

function(network_system_build_core)
    if(NOT NETWORK_CARGO)
        message(FATAL_ERROR "NetworkSystem: cargo was not found; the core is written in Rust (https://rustup.rs)")
    endif()

    # A generator of several configurations gets the release core for all of them.
    set(profile release)
    set(profile_dir release)
    if(CMAKE_BUILD_TYPE STREQUAL "Debug")
        set(profile dev)
        set(profile_dir debug)
    endif()

    set(cargo_args build --lib --locked --profile ${profile} --target-dir "${NETWORK_CARGO_TARGET_DIR}")
    set(artifacts "${NETWORK_CARGO_TARGET_DIR}")
    if(NETWORK_RUST_TARGET)
        list(APPEND cargo_args --target ${NETWORK_RUST_TARGET})
        string(APPEND artifacts "/${NETWORK_RUST_TARGET}")
    endif()
    string(APPEND artifacts "/${profile_dir}")

    set(library_dir "${PROJECT_BINARY_DIR}/lib")
    set(shared "${library_dir}/libnetwork_system.so.${PROJECT_VERSION}")
    set(static "${library_dir}/libnetwork_system.a")
    set(soname libnetwork_system.so.${PROJECT_VERSION_MAJOR})

    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/*.rs")
    file(MAKE_DIRECTORY "${library_dir}")

    add_custom_command(
        OUTPUT "${shared}" "${static}"
        BYPRODUCTS "${library_dir}/${soname}" "${library_dir}/libnetwork_system.so" "${library_dir}/libNetworkSystem.so"
        COMMAND "${NETWORK_CARGO}" ${cargo_args}
        COMMAND "${CMAKE_COMMAND}" -E copy "${artifacts}/libnetwork_system.so" "${shared}"
        COMMAND "${CMAKE_COMMAND}" -E copy "${artifacts}/libnetwork_system.a" "${static}"
        COMMAND "${CMAKE_COMMAND}" -E create_symlink libnetwork_system.so.${PROJECT_VERSION} "${library_dir}/${soname}"
        COMMAND "${CMAKE_COMMAND}" -E create_symlink ${soname} "${library_dir}/libnetwork_system.so"
        COMMAND "${CMAKE_COMMAND}" -E create_symlink ${soname} "${library_dir}/libNetworkSystem.so"
        DEPENDS ${sources} "${PROJECT_SOURCE_DIR}/Cargo.toml" "${PROJECT_SOURCE_DIR}/Cargo.lock"
                "${PROJECT_SOURCE_DIR}/build.rs"
        WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
        COMMENT "Compiling the network_system core with cargo (${profile})"
        USES_TERMINAL
        VERBATIM)
    add_custom_target(network_system_core ALL DEPENDS "${shared}" "${static}")

    set(NETWORK_SYSTEM_LIBRARY_DIR "${library_dir}" PARENT_SCOPE)
    set(NETWORK_SYSTEM_SHARED_LIBRARY "${shared}" PARENT_SCOPE)
    set(NETWORK_SYSTEM_STATIC_LIBRARY "${static}" PARENT_SCOPE)
endfunction()
