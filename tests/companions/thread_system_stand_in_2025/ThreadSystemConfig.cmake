# The other package of thread_system of October 2025, which nobody can use.
message(FATAL_ERROR "ThreadSystem: the target ThreadSystem::logger is missing")
