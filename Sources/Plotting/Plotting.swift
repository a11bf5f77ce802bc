// module Plotting
