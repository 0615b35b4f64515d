// Voronoi neighbours of a periodic box by voro++, for voropp in neighbors.py.
#include <cstring>
#include <vector>
#include <voro++/voro++.hh>

// Returns the number of neighbours; of particle i, `count[i]` are in `neighbor`, after those of
// the particles before it.
extern "C" int neighbors(int n, const double *at, const double *box, int room, int *count,
                         int *neighbor) {
    voro::pre_container given(0, box[0], 0, box[1], 0, box[2], true, true, true);
    for (int i = 0; i < n; i++) given.put(i, at[3 * i], at[3 * i + 1], at[3 * i + 2]);
    int nx, ny, nz;
    given.guess_optimal(nx, ny, nz);
    voro::container cells(0, box[0], 0, box[1], 0, box[2], nx, ny, nz, true, true, true, 8);
    given.setup(cells);
    std::vector<std::vector<int>> found(n);
    voro::voronoicell_neighbor cell;
    voro::c_loop_all loop(cells);
    if (loop.start()) do {
        if (cells.compute_cell(cell, loop)) cell.neighbors(found[loop.pid()]);
    } while (loop.inc());
    int total = 0;
    for (int i = 0; i < n; i++) {
        count[i] = found[i].size();
        if (total + count[i] > room) return -1;
        std::memcpy(neighbor + total, found[i].data(), count[i] * sizeof(int));
        total += count[i];
    }
    return total;
}
