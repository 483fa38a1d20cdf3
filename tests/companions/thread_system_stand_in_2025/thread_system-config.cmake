# The package of thread_system of October 2025 that works.
if(NOT TARGET thread_system::thread_base)
    add_library(thread_system::thread_base INTERFACE IMPORTED)
    set_target_properties(thread_system::thread_base PROPERTIES
        INTERFACE_INCLUDE_DIRECTORIES "${CMAKE_CURRENT_LIST_DIR}/include;${CMAKE_CURRENT_LIST_DIR}/../engine")
endif()
