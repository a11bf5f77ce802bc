import Testing

@testable import Session

/// Exact text of cuts through a bowl.
@Suite struct LandscapeGoldenTests {
  private func drawn(_ command: String) -> String {
    Transcript().run("param x = [2, 1]\nf := x[0]^2/2 + x[1]^2\nx = [1, -1]\n" + command)
  }

  @Test func filledContoursWithTheLocalModel() {
    #expect(
      drawn("plot f kind=filled model=true range -2..3, -2..2 steps=21 levels=4 size=40 height=14") == #"""
                           f
           ┌─ x[1] ───────────────────────┐
         2 ┤⢁⣀⡤⠤⠔⠒⠒⠊⠉⠉⠉⠉⠉⠉⠉⠉⠑⠒⠒⠢⠤⠤⣀⡈⠙⠒⠦⢄⡈⠓│ ██
           │⠉░⢀⣀⠤⠔⠒⠒⠉⠉⠉⠉⠉1⠉⠉⠒⠒⠢⠤⣀⡀░○⠑⠢⣄▒⠈⠓│ ██
           │⢠⠖⠉·                ·⢀⠔⠁·░░⠙⣄▒│ ▓▓ 5
         0 ┤⡇·        ⣀⠤↖⡀⠒⠒⠉↑⠉⠉⡰⠁⠒⠦⢤⣀░░2▒│ ▒▒
           │⠘⠦⣀·    ⡴⠊⠁  ⠈⠑⠢⢄⣸⡠⠊·⣀⡴⠋·⠈⠑⢆⠋▒│ ░░
           │⣀░⠈⠉⠒⠢⠤⠤←⠉⠉⠉⠉⠉⠉⠉⠉●⠉⠉⠉⠉⠉⠉⠉⠉⠉→⢀⡤│
        -2 ┤⡈⠉⠓⠒⠢⠤⠤⢄⣀⠙⠢▲⣀⣀⣀⣀⡠⢸⠤⠔⠒⠒⠉⣀⠤⠔▲3⢁4│    0
           └┬─────┬─────┬────┬─────┬─────┬┘
            -2    -1    0    1     2     3
                         x[0]
         ─▲─ ellipse of ∇²f   ·→ eigenvectors
                    ·→ Newton step
        """#)
  }

  @Test func aSurfaceWithThePath() {
    #expect(
      drawn("surface f along x[1], [1, 0] range -1..1, -2..1 steps=11 size=40 height=12") == #"""
                           f
           ┌─ t along [1, 0] ──────────────┐
           │     ⢀⡠⠔⠊⠁        ⣀⡠⠤⠤⠒⠒⠒⠊⠉⠉⠉⠉⠉│ 2 4
           │   ⡠⠖⠉       ⣀⠤⠒⠊⠉   ⢀⣀⣀⣀⠤⠤⠤⠤⠒←│ 1 2
         0 ┤ 2⠊       ⢀⠴1⠁ ●⠒⠊⠉⠉⠉⠁         │
           │⡰⠁       ⣠⠃                    │
           │⡇        ⡇                     │
           │⢣        ⠣⡀                    │
        -2 ┤ ⠣⡀       ⠙⠤⡀                  │
           └┬──────┬───────┬───────┬──────┬┘
           -1.0   -0.5    0.0     0.5    1.0
                     s along x[1]
        least f = 0.005 at (1, -1.1); f = 1.5 at the origin
        the path lies in the plane
        """#)
  }

  @Test func theBarrierBetweenPoints() {
    #expect(
      drawn("a = params; x = [-1, 1]; slice f from a to params size=40 height=9") == #"""
          ┌─ f ────────────────────────────────┐
          │⠑⣄                                ⣠⠊│
        1 ┤  ⠑⢄⡀                          ⢀⡠⠊  │
          │    ⠙⠢⣄                      ⣠⠔⠋    │
          │      ⠈⠙⠢⣄⡀              ⢀⣠⠔⠋⠁      │
        0 ┤          ⠈⠑⠒⠤⠤⣀⣀⣀⣀⣀⣀⠤⠤⠒⠊⠁          │
          └┬──────┬──────┬──────┬──────┬──────┬┘
          0.0    0.2    0.4    0.6    0.8    1.0
                    t from a to params
        f: 1.5 → 1.5, barrier 0
        """#)
  }
}
