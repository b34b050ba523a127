# The time of an iteration by bandwidth, from a simnet CSV:
#   gnuplot -e "results='Results/quickstart.csv'; figure='figure.svg'" examples/plot.gp
set datafile separator comma missing NaN
set terminal svg size 900,360 background "white"
set output figure
set logscale xy
set xlabel "bandwidth (Gb/s)"
set ylabel "time of an iteration (s)"
set key outside right
set grid
variants = "fp32 fp16 qsgd ef_sign 'top_k 1%' zstd"
# A row's bandwidth where it belongs to a curve; "smooth unique" is the mean over replicates.
gbps(model, variant) = strcol("model") eq model && strcol("communication") eq variant \
  ? real(strcol("cluster.topology.link.bandwidth")) : NaN
set multiplot layout 1, 2
do for [model in "resnet50 vgg16"] {
  set title model
  plot for [v in variants] results using (gbps(model, v)):(column("iteration_time_s")) \
    smooth unique with linespoints title v noenhanced
}
unset multiplot
