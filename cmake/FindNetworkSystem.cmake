# FindNetworkSystem: for projects that search in module mode, or carry a copy of this file in their own cmake folder.
#
# Finds the installed package where CMake looks for packages, in NetworkSystem_ROOT, beside this file and where
# pkg-config knows it; a NetworkSystem that the project has already added as a subdirectory is taken first.
#
# Targets: NetworkSystem::Core, NetworkSystem::Static and their other names (NetworkSystemTargets.cmake).
# Variables: NetworkSystem_FOUND, NetworkSystem_VERSION, NetworkSystem_INCLUDE_DIRS, NetworkSystem_LIBRARIES.

include(FindPackageHandleStandardArgs)

if(TARGET NetworkSystem::Core AND NOT NetworkSystem_CONFIG)
    get_target_property(NetworkSystem_INCLUDE_DIRS NetworkSystem::Core INTERFACE_INCLUDE_DIRECTORIES)
    set(NetworkSystem_LIBRARIES NetworkSystem::network)
    find_package_handle_standard_args(NetworkSystem
        REQUIRED_VARS NetworkSystem_INCLUDE_DIRS VERSION_VAR NetworkSystem_VERSION)
    return()
endif()

find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
    pkg_get_variable(_netsys_pc_libdir network-system libdir)
endif()

# Version and components are judged by the package itself.
set(_netsys_args)
if(NetworkSystem_FIND_VERSION)
    list(APPEND _netsys_args ${NetworkSystem_FIND_VERSION})
    if(NetworkSystem_FIND_VERSION_EXACT)
        list(APPEND _netsys_args EXACT)
    endif()
endif()
foreach(_netsys_component IN LISTS NetworkSystem_FIND_COMPONENTS)
    if(NetworkSystem_FIND_REQUIRED_${_netsys_component})
        list(APPEND _netsys_required ${_netsys_component})
    else()
        list(APPEND _netsys_optional ${_netsys_component})
    endif()
endforeach()
find_package(NetworkSystem ${_netsys_args} CONFIG QUIET
    COMPONENTS ${_netsys_required} OPTIONAL_COMPONENTS ${_netsys_optional}
    HINTS "${CMAKE_CURRENT_LIST_DIR}" "${_netsys_pc_libdir}/cmake/NetworkSystem")

find_package_handle_standard_args(NetworkSystem CONFIG_MODE)

unset(_netsys_pc_libdir)
unset(_netsys_args)
unset(_netsys_component)
unset(_netsys_required)
unset(_netsys_optional)
