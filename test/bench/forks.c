/* How long fork() takes: forks for so many seconds, and says quantiles in microseconds as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1000000 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    static double micros[MOST];
    const struct timespec pause = {0, 300000};
    const double end = now() + (argc > 1 ? atof(argv[1]) : 1);
    size_t count = 0;
    while (count < MOST && (count == 0 || now() < end)) {
        const double start = now();
        const pid_t child = fork();
        if (child == 0)
            _exit(0);
        if (child < 0)
            return 1;
        micros[count++] = (now() - start) * 1e6;
        waitpid(child, NULL, 0);
        nanosleep(&pause, NULL);
    }
    qsort(micros, count, sizeof(*micros), ascending);
    printf("{\"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"longest\": %.1f}\n", micros[count / 2],
           micros[count * 99 / 100], micros[count * 999 / 1000], micros[count - 1]);
    return 0;
}
