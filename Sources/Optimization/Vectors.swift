func dot(_ a: [Double], _ b: [Double]) -> Double {
  var sum = 0.0
  for k in a.indices { sum += a[k] * b[k] }
  return sum
}

/// a + t·b.
func sum(_ a: [Double], _ t: Double, _ b: [Double]) -> [Double] {
  var result = a
  for k in a.indices { result[k] += t * b[k] }
  return result
}

func scaled(_ t: Double, _ a: [Double]) -> [Double] { a.map { t * $0 } }

func difference(_ a: [Double], _ b: [Double]) -> [Double] { sum(a, -1, b) }
