# Where everything goes at `cmake --install`. No installed file names an absolute path, so that a prefix can be moved.

include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/NetworkSystem")
set(generated "${PROJECT_BINARY_DIR}/package")

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT Development
        FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")

install(PROGRAMS "${NETWORK_SYSTEM_SHARED_LIBRARY}" DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT Core)
install(FILES "${NETWORK_SYSTEM_LIBRARY_DIR}/libnetwork_system.so.${PROJECT_VERSION_MAJOR}"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT Core)
install(FILES "${NETWORK_SYSTEM_LIBRARY_DIR}/libnetwork_system.so" "${NETWORK_SYSTEM_LIBRARY_DIR}/libNetworkSystem.so"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT Development)
install(FILES "${NETWORK_SYSTEM_STATIC_LIBRARY}" DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT Static)

# CMake: find_package(NetworkSystem) and find_package(network_system) are one package.
configure_package_config_file(
    "${PROJECT_SOURCE_DIR}/cmake/NetworkSystemConfig.cmake.in" "${generated}/NetworkSystemConfig.cmake"
    INSTALL_DESTINATION "${package_dir}"
    PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR
    NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Programs ask for 0.1, 1.0 or 2.0: this version serves the interfaces of all of them.
write_basic_package_version_file("${generated}/NetworkSystemConfigVersion.cmake" COMPATIBILITY AnyNewerVersion)

install(FILES "${generated}/NetworkSystemConfig.cmake" "${generated}/NetworkSystemConfigVersion.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/NetworkSystemTargets.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/NetworkSystemIntegrations.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/FindNetworkSystem.cmake"
        DESTINATION "${package_dir}" COMPONENT Development)
install(FILES "${PROJECT_SOURCE_DIR}/cmake/network_system-config.cmake"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/network_system" COMPONENT Development)
install(FILES "${generated}/NetworkSystemConfigVersion.cmake"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/network_system" RENAME network_system-config-version.cmake
        COMPONENT Development)

# pkg-config: paths are relative to the .pc file, unless the user chose an absolute folder outside the prefix.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    set(pc_prefix "${CMAKE_INSTALL_PREFIX}")
    set(pc_libdir "${CMAKE_INSTALL_LIBDIR}")
else()
    file(RELATIVE_PATH up "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" /prefix)
    string(REGEX REPLACE "/$" "" up "${up}")
    set(pc_prefix "\${pcfiledir}/${up}")
    set(pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
endif()
set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(pc_includedir "${CMAKE_INSTALL_INCLUDEDIR}")
endif()
list(JOIN native_static_libs " " pc_private_libs)

configure_file("${PROJECT_SOURCE_DIR}/pkgconfig/network-system.pc.in" "${generated}/network-system.pc" @ONLY)
configure_file("${PROJECT_SOURCE_DIR}/pkgconfig/network-system.pc.in" "${generated}/NetworkSystem.pc" @ONLY)
configure_file("${PROJECT_SOURCE_DIR}/pkgconfig/network-system-static.pc.in" "${generated}/network-system-static.pc"
               @ONLY)
install(FILES "${generated}/network-system.pc" "${generated}/NetworkSystem.pc" "${generated}/network-system-static.pc"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT Development)

install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/LICENSE-MIT"
              "${PROJECT_SOURCE_DIR}/LICENSE-APACHE" "${PROJECT_SOURCE_DIR}/LICENSE-THIRD-PARTY"
              "${PROJECT_SOURCE_DIR}/README.md"
        DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT Development)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs/" DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT Development
        FILES_MATCHING PATTERN "*.md")

# What the reports of the monitor and of bridges look like, for programs that read them.
install(FILES "${PROJECT_SOURCE_DIR}/docs/metrics.schema.json"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/network_system" COMPONENT Development)
